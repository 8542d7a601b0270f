{{- /* The namespace is fixed: the claim of the hub and the agent's identity stand there. */ -}}
{{- define "agent.namespace" -}}
{{- if ne .Release.Namespace "jiuzhou-system" -}}
{{- fail "install into the namespace jiuzhou-system: helm install jiuzhou-agent CHART --namespace jiuzhou-system. 须安装到命名空间 jiuzhou-system。" -}}
{{- end -}}
jiuzhou-system
{{- end -}}

{{- define "agent.labels" -}}
app.kubernetes.io/name: jiuzhou-agent
app.kubernetes.io/part-of: jiuzhou
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}
