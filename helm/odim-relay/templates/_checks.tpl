{{/* What the schema cannot say. Each message names the key. */}}
{{- define "odim-relay.checks" -}}
{{- $values := .Values }}
{{- $plain := include "odim-relay.plainSettings" . | fromYaml }}
{{- $secret := include "odim-relay.secretSettings" . | fromYaml }}
{{- $redis := or $values.embeddedRedis.enabled (hasKey $plain "REDIS__URL") (hasKey $secret "redis.url") }}
{{- if not $redis }}
{{- fail "settings.redis.url is missing: say where Redis is by settings.redis.url or settingsFromSecrets.redis.url, or take embeddedRedis.enabled for a trial" }}
{{- end }}
{{- if and $values.embeddedRedis.enabled (or (hasKey $plain "REDIS__URL") (hasKey $secret "redis.url")) }}
{{- fail "embeddedRedis.enabled and a redis.url exclude each other: which Redis is it?" }}
{{- end }}
{{- if and (or $values.bridge.enabled $values.api.enabled) (not (or (hasKey $plain "KAFKA__BOOTSTRAP_SERVERS") (hasKey $secret "kafka.bootstrap_servers"))) }}
{{- fail "settings.kafka.bootstrap_servers is missing: say where Kafka is by settings.kafka.bootstrap_servers or settingsFromSecrets.kafka.bootstrap_servers" }}
{{- end }}
{{- range $path, $reference := $secret }}
{{- $variable := $path | replace "." "__" | upper }}
{{- if and (hasKey $plain $variable) (not (has $path (list "api.bind" "flower.bind"))) }}
{{- fail (printf "%s stands in settings and in settingsFromSecrets: leave one of them out" $path) }}
{{- end }}
{{- end }}
{{- range $variable, $text := $plain }}
{{- if or (regexMatch "://[^/@]*:[^/@]*@" $text) (regexMatch "(?i)[?&][^=&]*(password|secret|token)[^=&]*=" $text) }}
{{- fail (printf "settings.%s holds a password, which everybody could read: put it into a Secret, and name that in settingsFromSecrets.%s" ($variable | lower | replace "__" ".") ($variable | lower | replace "__" ".")) }}
{{- end }}
{{- end }}
{{- range $section, $variables := dict "api" (list "API__TLS_CERT_FILE" "API__TLS_KEY_FILE") "redis" (list "REDIS__CA_FILE") "kafka" (list "KAFKA__SECURITY__CA_FILE" "KAFKA__SECURITY__CERT_FILE" "KAFKA__SECURITY__KEY_FILE") "odim" (list "ODIM__REDIS_CA_FILE" "ODIM__REDIS_CERT_FILE" "ODIM__REDIS_KEY_FILE") "delivery" (list "DELIVERY__CA_FILE") "clientCertificates" (list "DELIVERY__TLS_DIR") }}
{{- if (get $values.tls $section).existingSecret }}
{{- $own := include "odim-relay.ownSettings" $ | fromYaml }}
{{- range $variable := $variables }}
{{- if ne (get $plain $variable | default "") (get $own $variable | default "") }}
{{- fail (printf "settings.%s and tls.%s.existingSecret exclude each other" ($variable | lower | replace "__" ".") $section) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if hasKey $plain "LIVENESS__FILE" }}
{{- fail "settings.liveness.file is the chart's to say: its probes look there" }}
{{- end }}
{{- if eq (get $plain "API__PLAIN_HTTP" | default "false") "true" }}
{{- fail "settings.api.plain_http is for loopback alone; in a pod nobody could reach it" }}
{{- end }}
{{- if and $values.flower.enabled (not (hasKey $secret "flower.password")) (ne (get $plain "FLOWER__UNAUTHENTICATED" | default "false") "true") }}
{{- fail "settingsFromSecrets.flower.password is missing: Flower does not start without a password; settings.flower.unauthenticated lets everybody look" }}
{{- end }}
{{- range $component := list "bridge" "worker" }}
{{- $process := get $values $component }}
{{- if and $process.autoscaling.enabled $process.keda.enabled }}
{{- fail (printf "%s.autoscaling.enabled and %s.keda.enabled exclude each other: two would scale one Deployment" $component $component) }}
{{- end }}
{{- range $scaler := list $process.autoscaling $process.keda }}
{{- if gt (int $scaler.minReplicas) (int $scaler.maxReplicas) }}
{{- fail (printf "%s: minReplicas is more than maxReplicas" $component) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $values.worker.keda.enabled (not $values.keda.prometheusAddress) (not $values.keda.redis.address) (not $values.embeddedRedis.enabled) }}
{{- fail "keda.prometheusAddress or keda.redis.address is missing: worker.keda.enabled has to learn the queue's depth somewhere" }}
{{- end }}
{{- if and $values.bridge.keda.enabled (not $values.keda.prometheusAddress) (not (hasKey $plain "KAFKA__BOOTSTRAP_SERVERS")) }}
{{- fail "keda.prometheusAddress or settings.kafka.bootstrap_servers is missing: bridge.keda.enabled has to learn the lag somewhere" }}
{{- end }}
{{- range $component := list "bridge" "worker" "maintenance" "beat" "api" "flower" }}
{{- $budget := (get $values $component).podDisruptionBudget }}
{{- if and $budget.enabled (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "invalid" $budget.maxUnavailable)) }}
{{- fail (printf "%s.podDisruptionBudget: minAvailable and maxUnavailable exclude each other; set maxUnavailable to null" $component) }}
{{- end }}
{{- range $ingress := list (get $values $component).ingress }}
{{- if and $ingress $ingress.enabled (not $ingress.hosts) }}
{{- fail (printf "%s.ingress.hosts is missing" $component) }}
{{- end }}
{{- end }}
{{- range $variable := concat $values.extraEnv ((get $values $component).extraEnv | default list) }}
{{- if has $variable.name (list "ODIM_RELAY_LIVENESS__FILE" "ODIM_RELAY_DELIVERY__TIMEOUT_S") }}
{{- fail (printf "extraEnv sets %s, which the chart reckons with: use settings" $variable.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
