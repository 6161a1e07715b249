{{/* Settings: what is plain goes into one ConfigMap, what is secret comes out of Secrets, each to who needs it. */}}

{{/* A value as the environment has it: texts as they are, all else as JSON. */}}
{{- define "odim-relay.value" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}

{{/* One plain setting, by (dict "root" $ "group" "delivery" "name" "timeout_s" "default" 15). */}}
{{- define "odim-relay.setting" -}}
{{- $members := get .root.Values.settings .group | default dict }}
{{- $value := hasKey $members .name | ternary (get $members .name) .default }}
{{- include "odim-relay.value" (kindIs "invalid" $value | ternary .default $value) }}
{{- end }}

{{/* Where the files of a Secret are mounted. */}}
{{- define "odim-relay.tlsFolder" -}}
/etc/odim-relay/tls/{{ . }}
{{- end }}

{{/* What the chart itself sets, as YAML: variable without its prefix, to value. */}}
{{- define "odim-relay.ownSettings" -}}
{{- $tls := .Values.tls }}
API__BIND: "0.0.0.0"
FLOWER__BIND: "0.0.0.0"
LOG__FORMAT: json
{{- with $tls.api }}{{ if .existingSecret }}
API__TLS_CERT_FILE: {{ include "odim-relay.tlsFolder" "api" }}/{{ .certKey }}
API__TLS_KEY_FILE: {{ include "odim-relay.tlsFolder" "api" }}/{{ .keyKey }}
{{- end }}{{ end }}
{{- with $tls.redis }}{{ if .existingSecret }}
REDIS__CA_FILE: {{ include "odim-relay.tlsFolder" "redis" }}/{{ .caKey }}
{{- end }}{{ end }}
{{- range $name, $variable := dict "kafka" "KAFKA__SECURITY__" "odim" "ODIM__REDIS_" }}
{{- with get $tls $name }}{{ if .existingSecret }}
{{- if .caKey }}
{{ $variable }}CA_FILE: {{ include "odim-relay.tlsFolder" $name }}/{{ .caKey }}
{{- end }}
{{- if .certKey }}
{{ $variable }}CERT_FILE: {{ include "odim-relay.tlsFolder" $name }}/{{ .certKey }}
{{- end }}
{{- if .keyKey }}
{{ $variable }}KEY_FILE: {{ include "odim-relay.tlsFolder" $name }}/{{ .keyKey }}
{{- end }}
{{- end }}{{ end }}
{{- end }}
{{- with $tls.delivery }}{{ if .existingSecret }}
DELIVERY__CA_FILE: {{ include "odim-relay.tlsFolder" "delivery" }}/{{ .caKey }}
{{- end }}{{ end }}
{{- with $tls.clientCertificates }}{{ if .existingSecret }}
DELIVERY__TLS_DIR: {{ include "odim-relay.tlsFolder" "client-certificates" }}
{{- end }}{{ end }}
{{- end }}

{{/* All plain settings, as YAML: variable without its prefix, to text. */}}
{{- define "odim-relay.plainSettings" -}}
{{- $found := include "odim-relay.ownSettings" . | fromYaml }}
{{- range $group, $members := .Values.settings }}
{{- range $name, $value := $members }}
{{- if and (eq $group "kafka") (eq $name "security") }}
{{- range $inner, $text := $value }}
{{- if not (kindIs "invalid" $text) }}
{{- $_ := set $found (printf "%s__%s__%s" $group $name $inner | upper) (include "odim-relay.value" $text) }}
{{- end }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
{{- $_ := set $found (printf "%s__%s" $group $name | upper) (include "odim-relay.value" $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}

{{/* All settings out of Secrets, as YAML: path to {name, key}. */}}
{{- define "odim-relay.secretSettings" -}}
{{- $found := dict }}
{{- range $group, $members := .Values.settingsFromSecrets }}
{{- range $name, $value := $members }}
{{- if and (eq $group "kafka") (eq $name "security") }}
{{- range $inner, $reference := $value }}
{{- with $reference }}
{{- $_ := set $found (printf "%s.%s.%s" $group $name $inner) . }}
{{- end }}
{{- end }}
{{- else if $value }}
{{- $_ := set $found (printf "%s.%s" $group $name) $value }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}

{{/* Who gets the secrets of a group; all others get those of groups that are not named here. */}}
{{- define "odim-relay.secretReaders" -}}
api: [api]
flower: [flower]
kafka: [bridge, api]
odim: [bridge, api]
egress: [bridge, worker, maintenance, api]
secrets: [bridge, worker, maintenance, api]
{{- end }}

{{/* The environment of a process, beside the ConfigMap. Takes (dict "root" $ "component" "worker"). */}}
{{- define "odim-relay.env" -}}
{{- $component := .component }}
{{- $readers := include "odim-relay.secretReaders" . | fromYaml }}
{{- if has $component (list "bridge" "worker" "maintenance" "beat") }}
- name: ODIM_RELAY_LIVENESS__FILE
  value: /tmp/alive
{{- end }}
{{- if .root.Values.embeddedRedis.enabled }}
- name: EMBEDDED_REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {{ include "odim-relay.embeddedRedisPassword" .root }}
- name: ODIM_RELAY_REDIS__URL
  value: redis://:$(EMBEDDED_REDIS_PASSWORD)@{{ include "odim-relay.fullname" .root }}-redis:6379/0
{{- end }}
{{- range $path, $reference := include "odim-relay.secretSettings" .root | fromYaml }}
{{- $group := splitList "." $path | first }}
{{- if has $component (get $readers $group | default (list $component)) }}
{{- $variable := printf "ODIM_RELAY_%s" ($path | replace "." "__" | upper) }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $reference.existingSecret }}
      key: {{ default $variable $reference.key }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name and key of the embedded Redis's password. */}}
{{- define "odim-relay.embeddedRedisPassword" -}}
{{- $password := .Values.embeddedRedis.password -}}
{name: {{ default (printf "%s-redis" (include "odim-relay.fullname" .)) $password.existingSecret }}, key: {{ default "password" $password.key }}}
{{- end }}

{{/* Seconds until a process that was told to end is killed: more than it needs by its settings. */}}
{{- define "odim-relay.grace" -}}
{{- $own := (get .root.Values .component).terminationGracePeriodSeconds }}
{{- if $own }}
{{- $own }}
{{- else if has .component (list "worker" "maintenance") }}
{{- /* An attempt under way is finished: within its timeout and two seconds. */}}
{{- add 15 (include "odim-relay.setting" (dict "root" .root "group" "delivery" "name" "timeout_s" "default" 15) | float64 | ceil | int) }}
{{- else if eq .component "api" }}
{{- /* Five seconds before it hears of it, and a request's body may still come. */}}
{{- add 15 (include "odim-relay.setting" (dict "root" .root "group" "api" "name" "body_timeout_s" "default" 15) | float64 | ceil | int) }}
{{- else }}
{{- 30 }}
{{- end }}
{{- end }}
