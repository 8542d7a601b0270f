//! What is wrong with the content of an object, and what follows from a definition that comes or goes.

use serde_json::Value;

use crate::answer::FieldError;
use crate::kinds::{Kind, Kinds};
use crate::meta;
use crate::native;
use crate::schema::rules;
use crate::schema::validate::validate;
use crate::store::Key;
use crate::world::Inner;

use super::create::DEFINITIONS;

impl Inner {
    /// What is wrong with the content of an object, beside its metadata. What an update left as it was is not held
    /// against it.
    pub(crate) fn check_content(
        &self,
        kind: &Kind,
        subresource: &str,
        object: &Value,
        old: Option<&Value>,
    ) -> Vec<FieldError> {
        if kind.native {
            return native::check(kind, object, old);
        }
        let mut errors = validate(object, &kind.schema, if subresource == "status" { "status." } else { "" });
        if let Some(old) = old {
            errors.retain(|error| {
                let seen = rules::at(&error.field, object);
                seen.is_none() || seen != rules::at(&error.field, old)
            });
        }
        if kind.rules.are_none() {
            return errors;
        }
        if errors.iter().any(FieldError::blocks_rules) {
            let detail = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
            errors.push(FieldError::invalid("<nil>", &Value::Null, detail));
            return errors;
        }
        let mut broken = kind.rules.check(object, old);
        if let Some(old) = old {
            let before = kind.rules.check(old, None);
            broken.retain(|error| {
                let same = rules::at(&error.field, object) == rules::at(&error.field, old);
                !(same && before.contains(error))
            });
        }
        errors.extend(broken);
        errors
    }

    /// What follows from a definition that was written.
    pub(crate) fn after_commit(&mut self, kind: &Kind, key: &Key, object: &Value) {
        if key.resource == DEFINITIONS && !meta::is_terminating(object) {
            debug_assert!(kind.native, "definitions are native");
            let established = native::established(object, &self.clock.printed());
            if meta::finalizers(object) != meta::finalizers(&established) {
                self.put_as("kube-apiserver", "status", key, established);
            }
            self.kinds.add_custom(object);
        }
    }

    /// Serves exactly the definitions that are stored.
    pub(crate) fn serve_definitions(&mut self) {
        self.kinds = Kinds::native();
        for (_, definition) in self.store.list(DEFINITIONS, None) {
            self.kinds.add_custom(&definition);
        }
    }

    /// What follows from an object that is gone.
    pub(crate) fn after_removal(&mut self, kind: &Kind, object: &Value) {
        if kind.is_one_of(&[DEFINITIONS]) {
            self.kinds.remove(meta::text(object, "name"));
        }
    }
}
