{{/* One Deployment, for each kind of process. Takes (dict "root" $ "component" "worker"). */}}

{{/* As the Procfile has it. */}}
{{- define "odim-relay.command" -}}
{{- $commands := dict
  "bridge" (list "odim-relay" "bridge")
  "api" (list "odim-relay" "api")
  "worker" (list "celery" "-A" "odim_relay" "worker" "-Q" "deliveries" "-n" "deliveries@%h" "--without-mingle" "--without-gossip")
  "maintenance" (list "celery" "-A" "odim_relay" "worker" "-Q" "maintenance" "-n" "maintenance@%h" "-c" "3" "--without-mingle" "--without-gossip")
  "beat" (list "celery" "-A" "odim_relay" "beat")
  "flower" (list "celery" "-A" "odim_relay" "flower") }}
{{- toYaml (get $commands .component) }}
{{- end }}

{{/* The Secrets with files that a process gets, as YAML: a list of {folder, secret}. */}}
{{- define "odim-relay.tlsMounts" -}}
{{- $tls := .root.Values.tls }}
{{- $component := .component }}
{{- $found := list }}
{{- range $entry := list
  (dict "folder" "api" "secret" $tls.api.existingSecret "for" (list "api"))
  (dict "folder" "client-certificates" "secret" $tls.clientCertificates.existingSecret "for" (list "worker" "maintenance" "api"))
  (dict "folder" "delivery" "secret" $tls.delivery.existingSecret "for" (list "worker" "maintenance" "api"))
  (dict "folder" "kafka" "secret" $tls.kafka.existingSecret "for" (list "bridge" "api"))
  (dict "folder" "odim" "secret" $tls.odim.existingSecret "for" (list "bridge" "api"))
  (dict "folder" "redis" "secret" $tls.redis.existingSecret "for" (list "bridge" "worker" "maintenance" "beat" "api" "flower")) }}
{{- if and $entry.secret (has $component (get $entry "for")) }}
{{- $found = append $found (dict "folder" $entry.folder "secret" $entry.secret) }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}

{{- define "odim-relay.probes" -}}
{{- $liveness := .root.Values.liveness }}
{{- if eq .component "api" }}
startupProbe:
  httpGet: {path: /healthz, port: https, scheme: HTTPS}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 24
livenessProbe:
  httpGet: {path: /healthz, port: https, scheme: HTTPS}
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: https, scheme: HTTPS}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- else if eq .component "flower" }}
{{- $prefix := include "odim-relay.setting" (dict "root" .root "group" "flower" "name" "url_prefix" "default" "") | trimAll "/" }}
{{- $path := printf "%s/healthcheck" (empty $prefix | ternary "" (printf "/%s" $prefix)) }}
startupProbe:
  httpGet: {path: {{ $path }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 24
livenessProbe:
  httpGet: {path: {{ $path }}, port: http}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 4
readinessProbe:
  httpGet: {path: {{ $path }}, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
{{- else }}
{{- $command := list "odim-relay" "alive" "/tmp/alive" "--within" (toString (int $liveness.withinSeconds)) }}
startupProbe:
  exec:
    command: {{ toJson $command }}
  periodSeconds: 5
  timeoutSeconds: 10
  failureThreshold: 24
livenessProbe:
  exec:
    command: {{ toJson $command }}
  periodSeconds: {{ $liveness.periodSeconds }}
  timeoutSeconds: 10
  failureThreshold: 3
{{- end }}
{{- end }}

{{- define "odim-relay.deployment" -}}
{{- include "odim-relay.checks" .root }}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $process := get $values .component }}
{{- $isScaled := or (and $process.autoscaling $process.autoscaling.enabled) (and $process.keda $process.keda.enabled) }}
{{- $files := include "odim-relay.tlsMounts" . | fromYamlArray }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "odim-relay.fullname" $root }}-{{ .component }}
  labels:
    {{- include "odim-relay.labels" . | nindent 4 }}
spec:
  {{- if not $isScaled }}
  replicas: {{ $process.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  minReadySeconds: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "odim-relay.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "odim-relay.labels" . | nindent 8 }}
        {{- with default $values.podLabels $process.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/settings: {{ include "odim-relay.plainSettings" $root | sha256sum }}
        {{- with default $values.podAnnotations $process.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "odim-relay.serviceAccountName" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ include "odim-relay.grace" . }}
      {{- with $values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- default $values.podSecurityContext $process.podSecurityContext | toYaml | nindent 8 }}
      {{- with default $values.priorityClassName $process.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with default $values.nodeSelector $process.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with default $values.tolerations $process.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with default $values.affinity $process.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $spread := hasKey $process "spreadOverNodes" | ternary $process.spreadOverNodes $values.spreadOverNodes }}
      {{- $constraints := default $values.topologySpreadConstraints $process.topologySpreadConstraints }}
      {{- if or $spread $constraints }}
      topologySpreadConstraints:
        {{- if $spread }}
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "odim-relay.selector" . | nindent 14 }}
        {{- end }}
        {{- with $constraints }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "odim-relay.image" (dict "image" $values.image "tag" $root.Chart.AppVersion) }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          command:
            {{- include "odim-relay.command" . | nindent 12 }}
          envFrom:
            - configMapRef:
                name: {{ include "odim-relay.fullname" $root }}-settings
          env:
            - name: PYTHONDONTWRITEBYTECODE
              value: "1"
            {{- with include "odim-relay.env" . | trim }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- with concat $values.extraEnv ($process.extraEnv | default list) }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- if eq .component "api" }}
          ports:
            - name: https
              containerPort: {{ include "odim-relay.setting" (dict "root" $root "group" "api" "name" "port" "default" 8443) }}
          {{- else if eq .component "flower" }}
          ports:
            - name: http
              containerPort: {{ include "odim-relay.setting" (dict "root" $root "group" "flower" "name" "port" "default" 5555) }}
          {{- end }}
          {{- include "odim-relay.probes" . | trim | nindent 10 }}
          {{- if has .component (list "api" "flower") }}
          lifecycle:
            preStop:
              exec:
                # Until nobody sends it requests any more.
                command: [sleep, "5"]
          {{- end }}
          securityContext:
            {{- default $values.securityContext $process.securityContext | toYaml | nindent 12 }}
          {{- with $process.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            {{- range $files }}
            - name: tls-{{ .folder }}
              mountPath: {{ include "odim-relay.tlsFolder" .folder }}
              readOnly: true
            {{- end }}
            {{- with concat $values.extraVolumeMounts ($process.extraVolumeMounts | default list) }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        # In memory: the API's own key passes through it.
        - name: tmp
          emptyDir: {medium: Memory, sizeLimit: 16Mi}
        {{- range $files }}
        - name: tls-{{ .folder }}
          secret:
            secretName: {{ .secret }}
            defaultMode: 0440
        {{- end }}
        {{- with concat $values.extraVolumes ($process.extraVolumes | default list) }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}

{{- define "odim-relay.budget" -}}
{{- $process := get .root.Values .component }}
{{- $budget := $process.podDisruptionBudget }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "odim-relay.fullname" .root }}-{{ .component }}
  labels:
    {{- include "odim-relay.labels" . | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" $budget.minAvailable) }}
  minAvailable: {{ $budget.minAvailable }}
  {{- else }}
  maxUnavailable: {{ $budget.maxUnavailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "odim-relay.selector" . | nindent 6 }}
{{- end }}
