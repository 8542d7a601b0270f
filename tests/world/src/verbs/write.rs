//! What all writes share: options, managed fields, the rules of create and update, the commit.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::{
    Answer, FieldError, MODIFIED, Refusal, Result, already_exists, bad_request, conflict, forbidden, invalid,
    namespace_not_found, not_found,
};
use crate::apply::{Endpoint, Managers, Set, Step, Writer};
use crate::kinds::Kind;
use crate::list::Form;
use crate::meta;
use crate::native;
use crate::request::Request;
use crate::store::{Key, Object};
use crate::world::Inner;

use super::decode as body;

/// A write under way.
pub(crate) struct Write<'a> {
    pub(crate) request: &'a Request,
    pub(crate) kind: Arc<Kind>,
    pub(crate) key: Key,
    pub(crate) subresource: &'static str,
    pub(crate) now: String,
    api_version: String,
    pub(crate) dry_run: bool,
    pub(crate) warnings: Vec<String>,
}

/// How unknown fields are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Ignore,
    Warn,
    Strict,
}

impl<'a> Write<'a> {
    pub(crate) fn new(
        request: &'a Request,
        kind: &Arc<Kind>,
        key: Key,
        subresource: &'static str,
        now: String,
    ) -> Result<Self> {
        let options = match request.method.as_str() {
            "POST" => "CreateOptions",
            "PUT" => "UpdateOptions",
            "PATCH" => "PatchOptions",
            _ => "DeleteOptions",
        };
        let mut errors = Vec::new();
        if let Some(seen) = request.option("dryRun").filter(|value| !value.is_empty() && *value != "All") {
            errors.push(FieldError::not_supported("dryRun", &json!([seen]), &[json!("All")]));
        }
        if let Some(seen) = request.option("fieldValidation")
            && !matches!(seen, "" | "Ignore" | "Warn" | "Strict")
        {
            let allowed = ["", "Ignore", "Strict", "Warn"].map(|word| json!(word));
            errors.push(FieldError::not_supported("fieldValidation", &json!(seen), &allowed));
        }
        if !errors.is_empty() {
            return Err(invalid("meta.k8s.io", options, "", &errors));
        }
        let dry_run = request.dry_run();
        let api_version = kind.api_version();
        Ok(Self { request, kind: kind.clone(), key, subresource, now, api_version, dry_run, warnings: Vec::new() })
    }

    /// How the request wants unknown fields taken.
    pub(crate) fn unknown(&self) -> Unknown {
        match self.request.option("fieldValidation") {
            Some("Ignore") => Unknown::Ignore,
            Some("Strict") => Unknown::Strict,
            _ => Unknown::Warn,
        }
    }

    /// The body as an object of the kind.
    pub(crate) fn decode_body(&mut self, value: Value) -> Result<Value> {
        let decoded = body::body(&self.kind, value)?;
        let sentences: Vec<String> = decoded.unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
        if sentences.is_empty() {
            return Ok(decoded.object);
        }
        match self.unknown() {
            Unknown::Ignore => {}
            Unknown::Warn => self.warnings.extend(sentences),
            Unknown::Strict => {
                let (kind, version) = (&self.kind.kind, &self.kind.version);
                let what = sentences.join(", ");
                let message = format!(
                    "{kind} in version {version:?} cannot be handled as a {kind}: strict decoding error: {what}"
                );
                return Err(bad_request(&message));
            }
        }
        Ok(decoded.object)
    }

    /// Who writes.
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer {
            name: self.request.manager(),
            version: &self.api_version,
            subresource: self.subresource,
            now: (self.subresource != "scale").then_some(self.now.as_str()),
        }
    }

    /// Paths that this endpoint resets, so that nobody owns them through it.
    pub(crate) fn ignored(&self) -> Set {
        let field = |name: &str| Step::Field(name.to_owned());
        let mut set = Set::default();
        match (self.subresource, self.kind.native) {
            ("status", false) => {
                set.insert(&[field("metadata")]);
                set.insert(&[field("spec")]);
            }
            ("status", true) => {
                set.insert(&[field("spec")]);
                if native::status_keeps_labels(&self.kind) {
                    set.insert(&[field("metadata"), field("labels")]);
                }
            }
            _ if self.kind.status && !self.kind.is_one_of(&["customresourcedefinitions.apiextensions.k8s.io"]) => {
                set.insert(&[field("status")]);
            }
            _ => {}
        }
        set
    }

    /// Records in a new object what this write changed.
    pub(crate) fn record(&self, old: Option<&Value>, new: &mut Value) {
        let sent = new.pointer("/metadata/managedFields").cloned();
        let reset = sent
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|entries| entries.is_empty() || entries.as_slice() == [json!({})]);
        let live = || old.map(Managers::read).unwrap_or_default();
        let mut managers = if !self.subresource.is_empty() {
            live()
        } else if reset {
            Managers::default()
        } else {
            let sent = Managers::read(new);
            if sent.is_empty() { live() } else { sent }
        };
        let empty = body::empty(&self.kind);
        let before = meta::without_managed_fields(old.unwrap_or(&empty));
        let after = meta::without_managed_fields(new);
        let endpoint = Endpoint { schema: &self.kind.schema, empty: &empty, ignored: &self.ignored() };
        managers.update(&endpoint, &before, &after, &self.writer());
        set_managers(new, &managers);
    }

    /// A refusal with the warnings that were due.
    pub(crate) fn refused(&self, mut refusal: Box<Refusal>) -> Box<Refusal> {
        refusal.warnings.clone_from(&self.warnings);
        refusal
    }

    /// The answer with an object.
    pub(crate) fn answer(self, code: u16, object: &Value) -> Answer {
        let mut answer = Answer::json(code, Form::of(self.request).print(&self.kind, object));
        answer.warnings = self.warnings;
        answer
    }

    fn invalid(&self, name: &str, errors: &[FieldError]) -> Box<Refusal> {
        invalid(&self.kind.group, &self.kind.kind, name, errors)
    }
}

/// Puts the managers into an object.
pub(crate) fn set_managers(object: &mut Value, managers: &Managers) {
    let metadata = meta::metadata(object);
    if managers.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), managers.print());
    }
}

impl Inner {
    /// Whether a new object may be put into its namespace.
    fn check_namespace(&self, kind: &Kind, namespace: &str, name: &str) -> Result<()> {
        if !kind.namespaced {
            return Ok(());
        }
        let Some(object) = self.store.get(&Key::new("namespaces", "", namespace)) else {
            return Err(namespace_not_found(namespace));
        };
        if meta::is_terminating(&object) {
            let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
            let cause = format!("namespace {namespace} is being terminated");
            let causes = json!([{"reason": "NamespaceTerminating", "message": cause, "field": "metadata.namespace"}]);
            return Err(forbidden(kind, name, &why, causes));
        }
        Ok(())
    }

    /// Stores a new object; `object` is decoded and says who wrote it.
    pub(crate) fn store_new(&mut self, write: &Write<'_>, mut object: Value) -> Result<Object> {
        let kind = write.kind.clone();
        let name = meta::text(&object, "name").to_owned();
        self.check_namespace(&kind, &write.request.target.namespace, &name)?;
        self.check_terminating_definition(&kind)?;
        let uid = self.new_uid();
        let metadata = meta::metadata(&mut object);
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(write.now));
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] {
            metadata.remove(field);
        }
        if kind.namespaced {
            metadata.insert("namespace".to_owned(), json!(write.request.target.namespace));
        } else {
            metadata.remove("namespace");
        }
        let applied = write.request.method == http::Method::PATCH;
        let unsaved = native::is_read_with_more(&kind, &object, applied);
        native::prepare_new(self, &kind, &mut object);
        let mut errors = meta::check_new(&kind, &object);
        errors.extend(self.check_content(&kind, "", &object, None));
        if !errors.is_empty() {
            return Err(write.invalid(&name, &errors));
        }
        let key = Key::new(&kind.resource(), &write.request.target.namespace, &name);
        if self.store.get(&key).is_some() {
            return Err(already_exists(&kind, &name));
        }
        if write.dry_run {
            return Ok(Arc::new(object));
        }
        let object = self.store.put(&key, object);
        self.after_commit(&kind, &key, &object);
        if unsaved {
            self.unsaved.insert(key);
        }
        Ok(object)
    }

    /// Changes an object: `make` says what it becomes. `None` is given to `make` when it is not there and the write may
    /// make it.
    pub(crate) fn store_change(
        &mut self,
        write: &mut Write<'_>,
        may_create: bool,
        uid: Option<&str>,
        make: impl FnOnce(&mut Write<'_>, Option<&Value>) -> Result<Value>,
    ) -> Result<(Object, bool)> {
        let kind = write.kind.clone();
        let name = write.request.target.name.clone();
        let Some(old) = self.store.get(&write.key) else {
            if !may_create {
                return Err(not_found(&kind, &name));
            }
            let object = make(write, None)?;
            let uid = meta::text(&object, "uid");
            if !uid.is_empty() {
                let why =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(conflict(&kind, &name, &why));
            }
            self.check_address(write, &object)?;
            return self.store_new(write, object).map(|object| (object, true));
        };
        if let Some(uid) = uid.filter(|uid| *uid != meta::text(&old, "uid")) {
            let why = storage_conflict(&kind, &write.key, uid, meta::text(&old, "uid"));
            return Err(conflict(&kind, &name, &why));
        }
        let mut object = make(write, Some(&old))?;
        self.check_address(write, &object)?;
        let version = meta::text(&object, "resourceVersion").to_owned();
        if version.is_empty() && (!kind.native || native::needs_version(&kind)) {
            let detail = "must be specified for an update";
            let error = FieldError::invalid("metadata.resourceVersion", &json!(0), detail);
            return Err(invalid(&kind.group, &kind.plural, &name, &[error]));
        }
        if !version.is_empty() && version != meta::text(&old, "resourceVersion") {
            return Err(conflict(&kind, &name, MODIFIED));
        }
        self.prepare_change(write, &mut object, &old);
        let mut errors = meta::check_changed(&kind, &object, &old);
        errors.extend(self.check_content(&kind, write.subresource, &object, Some(&old)));
        if !errors.is_empty() {
            return Err(write.invalid(&name, &errors));
        }
        keep_times(&mut object, &old);
        let unsaved = !write.dry_run && self.unsaved.remove(&write.key);
        if object == *old && !unsaved {
            return Ok((old, false));
        }
        self.commit_change(write, object, &old).map(|object| (object, false))
    }

    /// What an update may not touch comes back from the old object; the generation follows.
    fn prepare_change(&self, write: &Write<'_>, object: &mut Value, old: &Value) {
        let kind = &write.kind;
        let old_metadata = old.get("metadata").cloned().unwrap_or_default();
        if write.subresource == "status" {
            native::prepare_status(kind, object, old);
        } else {
            native::prepare_change(kind, object, old);
        }
        let metadata = meta::metadata(object);
        for field in ["creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"] {
            match old_metadata.get(field) {
                Some(value) => metadata.insert(field.to_owned(), value.clone()),
                None if field == "deletionTimestamp" => None,
                None => metadata.remove(field),
            };
        }
        for field in ["uid", "deletionGracePeriodSeconds", "namespace"] {
            if let (false, Some(value)) = (metadata.contains_key(field), old_metadata.get(field)) {
                metadata.insert(field.to_owned(), value.clone());
            }
        }
        if matches!(write.subresource, "" | "scale") && native::generation_moves(kind, object, old) {
            meta::bump_generation(object);
        }
    }

    fn commit_change(&mut self, write: &Write<'_>, object: Value, old: &Value) -> Result<Object> {
        let kind = write.kind.clone();
        let grace = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
        let last_finalizer_went = meta::is_terminating(&object)
            && meta::finalizers(&object).is_empty()
            && !meta::finalizers(old).is_empty()
            && grace.unwrap_or_default() == 0
            && !native::has_other_finalizers(&kind, &object);
        if write.dry_run {
            return Ok(Arc::new(object));
        }
        if last_finalizer_went {
            self.store.delete(&write.key);
            self.after_removal(&kind, old);
            return Ok(Arc::new(object));
        }
        let object = self.store.put(&write.key, object);
        self.after_commit(&kind, &write.key, &object);
        Ok(object)
    }

    /// Whether the object is the one the path names.
    fn check_address(&self, write: &Write<'_>, object: &Value) -> Result<()> {
        let target = &write.request.target;
        let namespace = meta::text(object, "namespace");
        if write.kind.namespaced && !namespace.is_empty() && namespace != target.namespace {
            return Err(bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let name = meta::text(object, "name");
        if !name.is_empty() && name != target.name {
            let message =
                format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
            return Err(bad_request(&message));
        }
        Ok(())
    }
}

/// What the storage says to an update of another object under the same name.
fn storage_conflict(kind: &Kind, key: &Key, wanted: &str, seen: &str) -> String {
    let place = if kind.native { kind.plural.clone() } else { format!("{}/{}", kind.group, kind.plural) };
    format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{place}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {seen}",
        key.path
    )
}

/// Where nothing but the times of managed fields moved, the old times stay.
fn keep_times(object: &mut Value, old: &Value) {
    let timeless = |object: &Value| {
        let mut out = object.clone();
        let entries = out.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.remove("time");
        }
        out
    };
    if timeless(object) == timeless(old) {
        *object = old.clone();
    }
}
