//! Update: the whole object is replaced.

use std::sync::Arc;

use crate::answer::{Answer, Result};
use crate::kinds::Kind;
use crate::meta;
use crate::native;
use crate::request::Request;
use crate::world::Inner;

use super::create::json_body;

impl Inner {
    /// Replaces an object.
    pub(crate) fn replace(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        self.replace_through(request, kind, "")
    }

    /// Replaces an object through one of its endpoints.
    pub(crate) fn replace_through(
        &mut self,
        request: &Request,
        kind: &Arc<Kind>,
        subresource: &'static str,
    ) -> Result<Answer> {
        let mut write = self.write(request, kind, subresource)?;
        let object = write.decode_body(json_body(request)?)?;
        let uid = Some(meta::text(&object, "uid").to_owned()).filter(|uid| !uid.is_empty());
        let may_create = native::may_create_on_update(kind) && subresource.is_empty();
        let changed = self.store_change(&mut write, may_create, uid.as_deref(), |write, old| {
            let mut object = object;
            write.record(old, &mut object);
            Ok(object)
        });
        let (stored, created) = changed.map_err(|refusal| write.refused(refusal))?;
        Ok(write.answer(if created { 201 } else { 200 }, &stored))
    }
}
