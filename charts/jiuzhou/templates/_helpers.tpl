{{- /* What several templates share. The namespace is fixed: the operator keeps its counter, lease and credentials there. */ -}}
{{- define "jiuzhou.namespace" -}}
{{- if ne .Release.Namespace "jiuzhou-system" -}}
{{- fail "install into the namespace jiuzhou-system: helm install jiuzhou CHART --namespace jiuzhou-system. 须安装到命名空间 jiuzhou-system。" -}}
{{- end -}}
jiuzhou-system
{{- end -}}

{{- define "jiuzhou.selector" -}}
app.kubernetes.io/name: jiuzhou
app.kubernetes.io/component: operator
{{- end -}}

{{- define "jiuzhou.labels" -}}
{{ include "jiuzhou.selector" . }}
app.kubernetes.io/part-of: jiuzhou
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "jiuzhou.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}
