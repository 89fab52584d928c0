# Slipway in one container: the broker and the four services under `./run up`. For Hugging Face Spaces, and for
#   docker build -t slipway . && docker run -p 7860:7860 --env-file .env slipway
# Nothing in it outlives the container; for that, and for several generators, use docker-compose.yml.
FROM python:3.11.14-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        chromium-headless-shell fonts-liberation git libatomic1 rabbitmq-server tini \
    && rm -rf /var/lib/apt/lists/*
# Spaces run as user 1000.
RUN useradd --create-home --uid 1000 slipway && install -d -o 1000 -g 1000 /home/slipway/app
USER 1000
WORKDIR /home/slipway/app
COPY --chown=1000:1000 requirements requirements
COPY --chown=1000:1000 tools tools
COPY --chown=1000:1000 run pyproject.toml .env.example ./
COPY --chown=1000:1000 libs libs
COPY --chown=1000:1000 services services
COPY --chown=1000:1000 examples examples
# and the libraries that pages load from a CDN: pages have no network while they are inspected
RUN ./run setup \
    && .venv/bin/python -c "from slipway_cli.cdn import ensure_mirror; from slipway_cli.examples import replies; \
from slipway_cli.stack import EXAMPLES, VAR; ensure_mirror(VAR, replies(EXAMPLES), print)" \
    && rm -rf var/cache
ENV PYTHONUNBUFFERED=1 SLIPWAY_CONTAINER=1 BIND_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD [".venv/bin/python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/health/ready', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["./run", "up"]
