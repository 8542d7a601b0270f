//! Delete: preconditions, grace, finalizers, what happens to dependents; and deletecollection.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::answer::{
    Answer, FieldError, Result, bad_request, conflict, delete_conflict, forbidden, invalid, not_found,
};
use crate::clock::printed;
use crate::kinds::Kind;
use crate::list::Form;
use crate::meta;
use crate::request::Request;
use crate::selector::Selector;
use crate::store::{Key, Object};
use crate::world::{Inner, success};

/// What a delete asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    uid: Option<String>,
    resource_version: Option<String>,
    grace: Option<i64>,
    /// Orphan, Background or Foreground.
    pub(crate) propagation: Option<String>,
    orphan: Option<bool>,
    dry_run: bool,
}

/// What a delete did.
pub(crate) struct Deleted {
    /// The object: its last state, or what waits for its end.
    object: Object,
    /// Whether it is gone.
    gone: bool,
}

/// Kinds whose last state is the answer to their delete.
const RETURNED: &[&str] = &[
    "namespaces",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "resourcequotas",
    "serviceaccounts",
    "services",
    "storageclasses.storage.k8s.io",
];

impl DeleteOptions {
    fn read(request: &Request) -> Result<Self> {
        let body: Value = if request.body.is_empty() {
            Value::Null
        } else {
            request.json().map_err(|error| bad_request(&format!("couldn't read the body: {error}")))?
        };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        // A body makes the server forget the query, a dry run in it as well.
        let query = |name: &str| request.option(name).filter(|_| body.is_null()).map(str::to_owned);
        let dry = body.get("dryRun").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        let number = |text: String| text.parse::<i64>().ok();
        let options = Self {
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            grace: body
                .get("gracePeriodSeconds")
                .and_then(Value::as_i64)
                .or(query("gracePeriodSeconds").and_then(number)),
            propagation: text("/propagationPolicy").or(query("propagationPolicy")),
            orphan: body
                .get("orphanDependents")
                .and_then(Value::as_bool)
                .or(query("orphanDependents").map(|text| text == "true")),
            dry_run: dry || body.is_null() && request.dry_run(),
        };
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<()> {
        let Some(policy) = self.propagation.as_deref() else { return Ok(()) };
        let at = "propagationPolicy";
        let error = if self.orphan.is_some() {
            FieldError::invalid(at, &json!(policy), "orphanDependents and deletionPropagation cannot be both set")
        } else if matches!(policy, "Foreground" | "Background" | "Orphan") {
            return Ok(());
        } else {
            let allowed = ["Foreground", "Background", "Orphan", "nil"].map(|word| json!(word));
            FieldError::not_supported(at, &json!(policy), &allowed)
        };
        Err(invalid("meta.k8s.io", "DeleteOptions", "", &[error]))
    }

    /// Without conditions, in the background.
    pub(crate) fn background() -> Self {
        Self { propagation: Some("Background".to_owned()), ..Self::default() }
    }

    /// The finalizers an object has once this delete has marked it.
    fn finalizers(&self, kind: &Kind, object: &Value) -> Vec<String> {
        let mut out: Vec<String> = meta::finalizers(object)
            .into_iter()
            .filter(|f| !matches!(*f, "orphan" | "foregroundDeletion"))
            .map(str::to_owned)
            .collect();
        let had = |name: &str| meta::finalizers(object).contains(&name);
        // A Job deleted without a word leaves its pods behind.
        let by_default = if kind.is_one_of(&["jobs.batch"]) { "Orphan" } else { "Background" };
        let policy = match (self.orphan, self.propagation.as_deref()) {
            (Some(true), _) => "Orphan",
            (Some(false), _) => "Background",
            (None, Some(policy)) => policy,
            (None, None) if had("orphan") => "Orphan",
            (None, None) if had("foregroundDeletion") => "Foreground",
            (None, None) => by_default,
        };
        match policy {
            "Orphan" => out.push("orphan".to_owned()),
            "Foreground" => out.push("foregroundDeletion".to_owned()),
            _ => {}
        }
        out
    }
}

impl Inner {
    /// Deletes one object.
    pub(crate) fn delete(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        self.write(request, kind, "")?;
        let options = DeleteOptions::read(request)?;
        let key = self.key(request, kind);
        let deleted = self.delete_object(kind, &key, &options)?;
        let object = &deleted.object;
        let body = if deleted.gone && !kind.is_one_of(RETURNED) {
            let mut details = json!({"name": key.name(), "kind": kind.plural, "uid": meta::text(object, "uid")});
            if !kind.group.is_empty() {
                details["group"] = json!(kind.group);
            }
            success(&details)
        } else {
            Form::of(request).print(kind, object)
        };
        let code = if !deleted.gone && options.orphan == Some(false) { 202 } else { 200 };
        let mut answer = Answer::json(code, body);
        if kind.is_one_of(&["jobs.batch"]) && options.orphan.is_none() && options.propagation.is_none() {
            answer.warnings.push("child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning".to_owned());
        }
        Ok(answer)
    }

    /// Deletes every object of a collection that is selected; the answer is the list of them.
    pub(crate) fn delete_collection(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        self.write(request, kind, "")?;
        if kind.is_one_of(&["namespaces", "services"]) {
            return Err(crate::answer::method_not_allowed(Some(kind)));
        }
        let options = DeleteOptions::read(request)?;
        let selector = Selector::read(request)?;
        let namespace = Some(request.target.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let rows: Vec<(Key, Object)> =
            self.store.list(&kind.resource(), namespace).into_iter().filter(|(_, o)| selector.matches(o)).collect();
        let answer = self.list(request, kind)?;
        for (key, _) in rows {
            self.delete_object(kind, &key, &options)?;
        }
        Ok(answer)
    }

    /// Deletes an object, or marks it for deletion when somebody still has to do something first.
    pub(crate) fn delete_object(&mut self, kind: &Arc<Kind>, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        let name = key.name().to_owned();
        let Some(object) = self.store.get(key) else { return Err(not_found(kind, &name)) };
        check_preconditions(kind, &name, &object, options)?;
        if kind.is_one_of(&["namespaces"]) {
            return self.delete_namespace(kind, key, &object, options);
        }
        let mut marked = (*object).clone();
        let graceful = match self.grace(kind, &object, options) {
            Grace::None => false,
            Grace::Pending => return Ok(Deleted { object, gone: false }),
            Grace::Seconds(seconds) => {
                let now = self.clock.now();
                let end = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
                let first = !meta::is_terminating(&object);
                let metadata = meta::metadata(&mut marked);
                metadata.insert("deletionTimestamp".to_owned(), json!(printed(end)));
                metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(seconds));
                if first {
                    meta::bump_generation(&mut marked);
                }
                true
            }
        };
        let finalizers = options.finalizers(kind, &object);
        let pending = !finalizers.is_empty();
        if finalizers.is_empty() {
            meta::metadata(&mut marked).remove("finalizers");
        } else {
            meta::metadata(&mut marked).insert("finalizers".to_owned(), json!(finalizers));
        }
        if pending && !graceful && !meta::is_terminating(&marked) {
            let now = self.clock.printed();
            let metadata = meta::metadata(&mut marked);
            metadata.insert("deletionTimestamp".to_owned(), json!(now));
            if key.resource == super::create::DEFINITIONS {
                self.mark_definition(&mut marked);
            } else {
                metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
                meta::bump_generation(&mut marked);
            }
        }
        let seconds =
            marked.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or_default();
        let stays = pending || graceful && seconds > 0;
        if options.dry_run {
            return Ok(Deleted { object: Arc::new(marked), gone: !stays });
        }
        let object = if marked == *object { object } else { self.store.put(key, marked) };
        if stays {
            return Ok(Deleted { object, gone: false });
        }
        let last = self.store.delete(key).unwrap_or(object);
        self.after_removal(kind, &last);
        Ok(Deleted { object: last, gone: true })
    }

    /// The grace of a delete: only pods have one.
    fn grace(&self, kind: &Kind, object: &Value, options: &DeleteOptions) -> Grace {
        if !kind.is_one_of(&["pods"]) {
            return Grace::None;
        }
        let metadata = |name: &str| object.pointer(&format!("/metadata/{name}")).and_then(Value::as_i64);
        if meta::is_terminating(object) {
            let before = metadata("deletionGracePeriodSeconds").unwrap_or_default();
            return match options.grace {
                _ if before == 0 => Grace::None,
                Some(seconds) if seconds < before => Grace::Seconds(seconds),
                _ => Grace::Pending,
            };
        }
        let spec = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
        let scheduled = object.pointer("/spec/nodeName").and_then(Value::as_str).is_some_and(|node| !node.is_empty());
        let phase = object.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
        if !scheduled || matches!(phase, "Failed" | "Succeeded") {
            return Grace::Seconds(0);
        }
        Grace::Seconds(options.grace.or(spec).unwrap_or(30).max(0))
    }

    fn delete_namespace(
        &mut self,
        kind: &Arc<Kind>,
        key: &Key,
        object: &Object,
        options: &DeleteOptions,
    ) -> Result<Deleted> {
        let name = key.name();
        if matches!(name, "default" | "kube-system" | "kube-public") {
            return Err(forbidden(kind, name, "this namespace may not be deleted", Value::Null));
        }
        if meta::is_terminating(object) {
            return Ok(Deleted { object: object.clone(), gone: false });
        }
        let mut marked = (**object).clone();
        let now = self.clock.printed();
        meta::metadata(&mut marked).insert("deletionTimestamp".to_owned(), json!(now));
        marked["status"]["phase"] = json!("Terminating");
        if options.dry_run {
            return Ok(Deleted { object: Arc::new(marked), gone: false });
        }
        Ok(Deleted { object: self.store.put(key, marked), gone: false })
    }
}

enum Grace {
    None,
    Pending,
    Seconds(i64),
}

fn check_preconditions(kind: &Kind, name: &str, object: &Value, options: &DeleteOptions) -> Result<()> {
    let (uid, version) = (meta::text(object, "uid"), meta::text(object, "resourceVersion"));
    let namespace = kind.is_one_of(&["namespaces"]);
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid) {
        if namespace {
            let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}");
            return Err(conflict(kind, name, &why));
        }
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        );
        return Err(delete_conflict(kind, name, &why));
    }
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != version) {
        if namespace {
            let why = format!(
                "Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {version}"
            );
            return Err(conflict(kind, name, &why));
        }
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        );
        return Err(delete_conflict(kind, name, &why));
    }
    Ok(())
}
