# SPDX-License-Identifier: Apache-2.0
# Pin the base by digest where it matters: --build-arg PYTHON_IMAGE=docker.io/library/python@sha256:…
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# The dependencies change less often than the code: their layer comes first.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/operator \
 && python -m venv /opt/build \
 && /opt/operator/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.txt \
 && /opt/build/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements-build.txt
COPY pyproject.toml LICENSE ./
COPY operator ./operator
# Compiled here, since the root file system is read-only where it runs; pip is not needed any more.
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/operator/bin/python -m pip install --no-deps --no-index /wheels/*.whl \
 && /opt/operator/bin/python -m compileall -q /opt/operator/lib \
 && /opt/operator/bin/python -m pip uninstall --yes pip setuptools

FROM ${PYTHON_IMAGE}
ARG VERSION=unreleased
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="eservice-operator" \
      org.opencontainers.image.description="Installs, publishes and unpublishes e-services by the 18-month template rule" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/operator /opt/operator
ENV PATH=/opt/operator/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that runAsNonRoot can be checked without the image's /etc/passwd.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["eservice-operator"]
CMD ["run"]
