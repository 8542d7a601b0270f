//! Which of the workloads that `wrap` makes have to go to the same clusters.
//!
//! A pod finds its ConfigMap, a Service its pods, and a program the Service it is told to call, in its own cluster only.
//! The first two are links of the graph. The last is read from what containers are told (environment, arguments) and
//! counts where it is the name of a Service of the set: `cart:7070`, `http://cart/api`, `cart.shop.svc.cluster.local`.
//! A name inside a program or in a configuration file is not seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::dependencies::Graph;
use crate::object::{Object, items};
use crate::profile::Profiles;

/// Gives workloads of one namespace that have to stand together the same `colocate` key: the name of the first of them.
/// `home` says which workload each object is in.
pub(crate) fn colocate(
    workloads: &mut [Value],
    objects: &[Value],
    home: &BTreeMap<usize, usize>,
    graph: &Graph<'_>,
    default_namespace: &str,
    profiles: &Profiles,
) {
    let namespace = |object: Object<'_>| match object.namespace() {
        "" => default_namespace.to_owned(),
        stated => stated.to_owned(),
    };
    let services: BTreeMap<(String, String), usize> = objects
        .iter()
        .enumerate()
        .map(|(index, value)| (index, Object::new(value)))
        .filter(|(_, object)| object.kind() == "Service" && object.group().is_empty())
        .map(|(index, object)| ((namespace(object), object.name().to_owned()), index))
        .collect();
    let called = |index: usize| -> Vec<usize> {
        let object = Object::new(&objects[index]);
        let own = namespace(object);
        hosts(object, profiles).into_iter().filter_map(|host| service(&host, &own, &services)).collect()
    };
    // The smallest workload of the set that each belongs to, found by joining sets along links.
    let mut set: Vec<usize> = (0..workloads.len()).collect();
    let of = |at: usize| Object::new(&workloads[at]).namespace();
    for (index, own) in home {
        for other in graph.neighbours(*index).chain(called(*index)).filter_map(|end| home.get(&end)) {
            let (a, b) = (set[*own], set[*other]);
            if a != b && of(a) == of(b) {
                let (low, high) = (a.min(b), a.max(b));
                set.iter_mut().filter(|member| **member == high).for_each(|member| *member = low);
            }
        }
    }
    for (at, first) in set.iter().enumerate() {
        if set.iter().filter(|other| *other == first).count() > 1 {
            let key = Object::new(&workloads[*first]).name().to_owned();
            workloads[at]["spec"]["colocate"] = key.into();
        }
    }
}

/// Words in environment and arguments of an object's containers that may name a host, without scheme, user, port and path.
fn hosts(object: Object<'_>, profiles: &Profiles) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    let templates = profiles.of(object).map(|profile| profile.templates_in(object)).unwrap_or_default();
    for (template, _) in templates {
        for list in ["initContainers", "containers"] {
            for container in items(object.value, &format!("{template}/spec/{list}")) {
                let told = items(container, "/env").iter().filter_map(|entry| entry.get("value"));
                let told = told.chain(items(container, "/command")).chain(items(container, "/args"));
                hosts.extend(told.filter_map(Value::as_str).flat_map(words).map(str::to_owned));
            }
        }
    }
    hosts
}

/// The words of a text that look like a host.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '=' | '"' | '\''));
    parts.filter_map(|part| {
        let after_scheme = part.split_once("://").map_or(part, |(_, rest)| rest);
        let authority = after_scheme.split(['/', '?', '#']).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = host.split(':').next()?.trim_end_matches('.');
        let fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        fits.then_some(host)
    })
}

/// The Service a host means to a pod of a namespace, as its resolver would find it.
fn service(host: &str, own: &str, services: &BTreeMap<(String, String), usize>) -> Option<usize> {
    let mut labels = host.split('.');
    let name = labels.next()?;
    let (namespace, rest) = (labels.next().unwrap_or(own), labels.next());
    // `db-0.db` is a pod of the headless Service `db`.
    let found = rest.is_none_or(|rest| rest == "svc").then(|| services.get(&(namespace.to_owned(), name.to_owned())));
    let pod = || {
        let mut labels = host.split('.').skip(1);
        let (name, namespace) = (labels.next()?, labels.next().unwrap_or(own));
        services.get(&(namespace.to_owned(), name.to_owned()))
    };
    found.flatten().or_else(pod).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wrap::{WrapOptions, wrap};

    #[test]
    fn hosts_are_read_out_of_what_containers_are_told() {
        let read = |text: &'static str| words(text).collect::<Vec<_>>();
        assert_eq!(read("cart:7070"), ["cart"]);
        assert_eq!(read("--upstream=http://user:pw@cart.shop.svc:80/api?x=1"), ["--upstream", "cart.shop.svc", "1"]);
        assert_eq!(read("redis-0.redis:6379,redis-1.redis:6379"), ["redis-0.redis", "redis-1.redis"]);
        assert_eq!(read("政务 a_b $(HOST)"), Vec::<&str>::new());
    }

    #[test]
    fn a_host_means_the_service_that_the_resolver_would_find() {
        let services: BTreeMap<_, _> = [("shop", "cart", 0), ("shop", "db", 1), ("other", "cart", 2)]
            .map(|(ns, n, i)| ((ns.into(), n.into()), i))
            .into();
        let found = |host: &str| service(host, "shop", &services);
        assert_eq!(
            (found("cart"), found("cart.other"), found("cart.other.svc.cluster.local")),
            (Some(0), Some(2), Some(2))
        );
        assert_eq!((found("db-0.db"), found("db-0.db.shop.svc")), (Some(1), Some(1)));
        assert_eq!((found("cart.example.com"), found("example.com"), found("nobody")), (None, None, None));
    }

    #[test]
    fn programs_that_call_each_other_by_service_go_to_the_same_clusters() {
        let deployment = |name: &str, env: &str| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "a", "env": [{"name": "TARGET", "value": env}]}]}}}})
        };
        let service = |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": name}}});
        let manifests = vec![
            deployment("front", "http://cart:7070/items"),
            service("cart"),
            deployment("cart", "redis.shop.svc.cluster.local:6379"),
            service("redis"),
            deployment("redis", ""),
            deployment("batch", "cart.example.com"),
        ];
        let options = WrapOptions { namespace: "shop".into(), ..WrapOptions::default() };
        let out = wrap(manifests, &options, &Profiles::default());
        let keys: BTreeMap<_, _> = out
            .workloads
            .iter()
            .map(|w| (Object::new(w).name(), w["spec"]["colocate"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(keys, [("batch", ""), ("cart", "cart"), ("front", "cart"), ("redis", "cart")].into());
    }
}
