# The environment is built where a compiler may be; what runs has none, and a user who cannot log in and owns no file of
# the program.
FROM python:3.12-slim AS builder
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.12-slim
# OpenMP, for a LightFM that was compiled above (arm64 has no wheel)
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin shop && install -d -o shop -g shop /data
WORKDIR /app
COPY --from=builder /app/.venv .venv
COPY . .
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SPECTRUM_DATA_DIR=/data \
    SPECTRUM_HOST=0.0.0.0
USER shop
VOLUME /data
EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ.get(\"SPECTRUM_PORT\", 8050)}/health/live', timeout=4)"]
CMD ["python", "-m", "dashboard"]
