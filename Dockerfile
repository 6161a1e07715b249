# The image of every process of the Procfile: what the wheel holds, with the versions of constraints.txt, and nothing that
# compiles. Built by `make image`; docs/containers.md tells how it is used.
#
# The tag names one Python on one Debian. To pin its content as well, add what `docker buildx imagetools inspect` says of it
# to both lines: python:3.11.15-slim-bookworm@sha256:...

FROM python:3.11.15-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src

# The build backend stands in the environment, and is pinned with the rest: an isolated build would take the newest.
COPY constraints.txt ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --constraint constraints.txt setuptools \
    && python -m venv --without-pip /opt/odim-relay

COPY pyproject.toml README.md LICENSE celeryconfig.py flowerconfig.py ./
COPY odim_relay ./odim_relay
RUN /opt/build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /wheels . \
    && python -m pip --python /opt/odim-relay/bin/python install --only-binary :all: --constraint constraints.txt \
        "odim-relay[tracing] @ file://$(echo /wheels/*.whl)"

FROM python:3.11.15-slim-bookworm

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="odim-relay" \
      org.opencontainers.image.description="Delivers infrastructure events from Kafka to their subscribers over HTTPS, and loses none." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

RUN groupadd --gid 10001 odim-relay \
    && useradd --uid 10001 --gid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin odim-relay \
    && mkdir /app

COPY --from=builder /opt/odim-relay /opt/odim-relay

ENV PATH=/opt/odim-relay/bin:$PATH \
    PYTHONUNBUFFERED=1
# Empty, and nothing writes to it: the root file system may be read-only.
WORKDIR /app
# By number: Kubernetes cannot tell of a name that it is not root's.
USER 10001:10001
EXPOSE 8443 5555

# Each process has another one; whoever runs it asks.
HEALTHCHECK NONE
CMD ["odim-relay", "--help"]
