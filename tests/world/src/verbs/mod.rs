//! The verbs: what each does between a request and the store.
//!
//! `decode` reads bodies, `create`, `update`, `patch` and `delete` are the verbs, `write` is what all writes share,
//! `check` what is wrong with an object.

mod check;
mod create;
mod decode;
mod delete;
mod patch;
mod update;
mod write;

use std::sync::Arc;

pub(crate) use decode::empty;
pub(crate) use delete::DeleteOptions;
pub(crate) use patch::{apply_json_patch, json_patch_of, merge_patch_of};
pub(crate) use write::{Write, set_managers};

use crate::answer::{Answer, Result, not_found};
use crate::kinds::Kind;
use crate::list::Form;
use crate::request::Request;
use crate::world::Inner;

impl Inner {
    /// Reads one object.
    pub(crate) fn get(&self, request: &Request, kind: &Kind) -> Result<Answer> {
        let name = &request.target.name;
        let object = self.store.get(&self.key(request, kind)).ok_or_else(|| not_found(kind, name))?;
        Ok(Answer::json(200, Form::of(request).print(kind, &object)))
    }

    /// What every write knows about itself.
    pub(crate) fn write<'a>(
        &self,
        request: &'a Request,
        kind: &Arc<Kind>,
        subresource: &'static str,
    ) -> Result<Write<'a>> {
        Write::new(request, kind, self.key(request, kind), subresource, self.clock.printed())
    }
}
