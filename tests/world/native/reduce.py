#!/usr/bin/env python3
"""Writes schemas.json: the native kinds of the world, from the sources of Kubernetes.

    reduce.py GOMODCACHE VERSION > schemas.json        e.g. reduce.py ~/go/pkg/mod 1.36.3

Read are the published OpenAPI v3 documents (types, defaults, list keys, merge keys) and the Go types (which fields an
API server always prints and which it leaves out when they are empty; no schema says so). Descriptions are left out.
"""
import json
import os
import re
import sys

KINDS = {
    'v1': ['Namespace', 'ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'Pod', 'PersistentVolumeClaim',
           'PersistentVolume', 'Node', 'ResourceQuota', 'LimitRange', 'Endpoints', 'Scale'],
    'apps/v1': ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ControllerRevision'],
    'batch/v1': ['Job', 'CronJob'],
    'networking.k8s.io/v1': ['Ingress', 'IngressClass', 'NetworkPolicy'],
    'autoscaling/v2': ['HorizontalPodAutoscaler'],
    'policy/v1': ['PodDisruptionBudget'],
    'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
    'coordination.k8s.io/v1': ['Lease'],
    'events.k8s.io/v1': ['Event'],
    'scheduling.k8s.io/v1': ['PriorityClass'],
    'storage.k8s.io/v1': ['StorageClass'],
    'admissionregistration.k8s.io/v1': ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    'apiextensions.k8s.io/v1': ['CustomResourceDefinition'],
}
KEPT = ['type', 'format', 'required', 'default', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys',
        'x-kubernetes-patch-merge-key', 'x-kubernetes-patch-strategy', 'x-kubernetes-map-type']
SCALARS = {'string', 'bool', 'int', 'int32', 'int64', 'float64', 'byte'}


def reduced(schema):
    out = {key: schema[key] for key in KEPT if key in schema}
    reference = schema.get('$ref') or (schema['allOf'][0]['$ref'] if 'allOf' in schema else None)
    if reference:
        out['$ref'] = reference.split('/')[-1]
    if 'properties' in schema:
        out['properties'] = {name: reduced(value) for name, value in schema['properties'].items()}
    for key in ('items', 'additionalProperties'):
        if isinstance(schema.get(key), dict):
            out[key] = reduced(schema[key])
    return out


def references(schema):
    if isinstance(schema, dict):
        if '$ref' in schema:
            yield schema['$ref']
        for value in schema.values():
            yield from references(value)


class GoTypes:
    """Struct fields of a Go package: name in JSON, type, options of the tag."""

    def __init__(self, modules, version):
        self.roots = {
            'io.k8s.api.': f'{modules}/k8s.io/api@v0.{version}/',
            'io.k8s.apimachinery.': f'{modules}/k8s.io/apimachinery@v0.{version}/',
            'io.k8s.apiextensions-apiserver.': f'{modules}/k8s.io/apiextensions-apiserver@v0.{version}/',
        }
        self.packages = {}

    def package(self, definition):
        for prefix, root in self.roots.items():
            if definition.startswith(prefix):
                folder = root + '/'.join(definition[len(prefix):].split('.')[:-1])
                if folder not in self.packages:
                    text = ''.join(open(f'{folder}/{name}').read() for name in sorted(os.listdir(folder))
                                   if name.endswith('.go') and not name.endswith('_test.go')
                                   and not name.startswith('zz_')) if os.path.isdir(folder) else ''
                    structs = dict(re.findall(r'^type (\w+) struct \{\n(.*?)^\}', text, re.M | re.S))
                    named = dict(re.findall(r'^type (\w+) ([\w\[\]\.\*]+)$', text, re.M))
                    self.packages[folder] = (structs, named)
                return self.packages[folder]
        return {}, {}

    def fields(self, definition, struct=None):
        structs, named = self.package(definition)
        for line in structs.get(struct or definition.split('.')[-1], '').splitlines():
            found = re.match(r'\s*(?:(\w+)\s+)?([\w\[\]\.\*]+)\s+`.*?json:"([^"]*)"', line)
            if not found:
                continue
            kind, tag = found.group(2), found.group(3).split(',')
            if 'inline' in tag:
                yield from self.fields(definition, kind.lstrip('*').split('.')[-1])
            else:
                yield tag[0], named.get(kind, kind), tag[1:]


def marked(definition, schema, types):
    """Adds what Go prints: `always` (no omitempty), or left out when `zero` (scalars) or `empty` (lists, maps)."""
    for name, kind, options in types.fields(definition):
        field = schema.get('properties', {}).get(name)
        if field is None or kind.startswith('*'):
            continue
        listed = kind.startswith('[]') or kind.startswith('map[') or kind.split('.')[-1] in ('ResourceList', 'Verbs')
        scalar = kind in SCALARS or kind.split('.')[-1] in ('UID', 'ResourceName')
        if 'omitempty' in options or 'omitzero' in options:
            if listed:
                field['x-go'] = 'empty'
            elif scalar or field.get('type') in ('string', 'integer', 'boolean', 'number'):
                field['x-go'] = 'zero'
            elif 'omitzero' not in options:
                field['x-go'] = 'always'
        else:
            field['x-go'] = 'always'


def main():
    modules, version = sys.argv[1], sys.argv[2]
    folder = f'{modules}/k8s.io/kubernetes@v{version}/api/openapi-spec/v3/'
    types = GoTypes(modules, version.split('.', 1)[1])
    kinds, definitions = {}, {}
    for group_version, names in KINDS.items():
        file = 'api__v1_openapi.json' if group_version == 'v1' else f"apis__{group_version.replace('/', '__')}_openapi.json"
        schemas = json.load(open(folder + file))['components']['schemas']
        group, v = group_version.split('/') if '/' in group_version else ('', group_version)
        for kind in names:
            # Scale is published where it is used.
            wanted = {'group': 'autoscaling' if kind == 'Scale' else group, 'kind': kind, 'version': v}
            found = [n for n, s in schemas.items() if wanted in s.get('x-kubernetes-group-version-kind', [])]
            kinds[f'{group_version}/{kind}'] = found[0]
            todo = found[:1]
            while todo:
                name = todo.pop()
                if name.endswith('.JSONSchemaProps'):
                    # A schema of schemas: free here, the world compiles it itself.
                    definitions[name] = {'type': 'object', 'x-kubernetes-preserve-unknown-fields': True}
                elif name not in definitions:
                    definitions[name] = reduced(schemas[name])
                    marked(name, definitions[name], types)
                    todo += references(definitions[name])
    text = json.dumps({'definitions': definitions, 'kinds': kinds}, separators=(',', ':'), sort_keys=True)
    print(text.replace('},"io.', '},\n"io.').replace('"kinds":', '\n"kinds":'))


main()
