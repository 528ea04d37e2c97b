# Build: docker build -t abscope .
# The base is pinned by version; give a digest with --build-arg BASE_IMAGE=python@sha256:… (docs/adr/0008).
ARG BASE_IMAGE=python:3.11.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
WORKDIR /build
RUN python3 -m venv /opt/abscope
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN /opt/abscope/bin/pip install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY requirements/runtime.in requirements/runtime.in
COPY api/ api/
COPY db/ db/
COPY schemas/ schemas/
COPY service/ service/
COPY simulation/ simulation/
RUN /opt/abscope/bin/pip install --no-deps --no-build-isolation . \
    && /opt/abscope/bin/pip uninstall --yes setuptools
COPY scripts/container_start.py /opt/abscope/container_start.py
# Compiled kernels, of the installed files (-P) and not of the copies here, and the font list; container_start.py copies them.
RUN mkdir -p /opt/abscope/cache/numba /opt/abscope/cache/matplotlib \
    && export NUMBA_CACHE_DIR=/opt/abscope/cache/numba MPLCONFIGDIR=/opt/abscope/cache/matplotlib \
    && /opt/abscope/bin/python -P -m simulation.engine.warm \
    && /opt/abscope/bin/python -P -c "import matplotlib.font_manager; from service.warming import warm_up; warm_up()" \
    && /opt/abscope/bin/abscope models --json > /dev/null \
    && chmod -R a+rX /opt/abscope

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Abscope" \
      org.opencontainers.image.description="Dose, response, harm and schedule comparison for combined radiotherapy and immunotherapy; research use" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
ENV PATH=/opt/abscope/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/abscope/numba \
    MPLCONFIGDIR=/tmp/abscope/matplotlib \
    ABSCOPE_HOST=0.0.0.0 \
    ABSCOPE_PORT=8000 \
    ABSCOPE_AUTH=keys \
    ABSCOPE_DATA_DIR=/data
COPY --from=build /opt/abscope /opt/abscope
RUN install -d -o 10001 -g 10001 -m 0750 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['ABSCOPE_PORT'] + '/livez', timeout=2)"]
ENTRYPOINT ["python", "/opt/abscope/container_start.py"]
CMD ["abscope", "serve"]
