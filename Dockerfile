# syntax=docker/dockerfile:1
FROM node:22.23.3-bookworm-slim AS web
WORKDIR /web
COPY api/web/package.json api/web/package-lock.json api/web/.npmrc ./
RUN npm ci
COPY api/web .
RUN npm run build

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /web/dist api/web/dist
ARG VERSION=dev
RUN make install WEB_APP= VERSION=${VERSION} PREFIX=/usr/local DESTDIR=/out

# The models are fetched while building, so that a container starts at once and
# needs no network.
FROM node:22.23.3-bookworm-slim AS models
COPY --from=build /out/usr/local /usr/local
RUN HARK_MODELS=/models hark models fetch

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/hark --create-home hark
COPY --from=build /out/usr/local /usr/local
COPY --from=models /models /usr/local/share/hark/models
ENV HARK_DATA=/var/lib/hark HARK_MODELS=/usr/local/share/hark/models HARK_ADDR=0.0.0.0:8080 HARK_LOG_FORMAT=json
USER hark
VOLUME /var/lib/hark
EXPOSE 8080 8189/udp 8189/tcp
# Hark stops in order on SIGTERM, within HARK_SHUTDOWN_GRACE: give it 40 s (docker run --stop-timeout 40).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD curl -fsS http://127.0.0.1:8080/healthz
ENTRYPOINT ["hark"]
CMD ["serve"]
