# Builds Palabre and runs it as an unprivileged user; the data is in the volume /data.
# Needs BuildKit, the default since Docker 23: the cache mounts keep what is compiled, so a change here rebuilds Palabre alone.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin palabre && cp target/release/palabre /usr/local/bin/palabre

FROM debian:bookworm-slim
RUN groupadd --system --gid 10001 palabre \
    && useradd --system --uid 10001 --gid palabre --no-create-home --home-dir /data palabre \
    && install --directory --owner palabre --group palabre --mode 700 /data
COPY --from=build /usr/local/bin/palabre /usr/local/bin/palabre
USER 10001:10001
WORKDIR /data
ENV PALABRE_DATA_DIR=/data PALABRE_LISTEN=0.0.0.0:8080 PALABRE_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
# The image has no curl, so bash asks. It asks whether the process is up, not whether the database is: restarting Palabre
# cures no database. Any answer below 500 will do, since under PALABRE_BASE_PATH the address is another one.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${PALABRE_LISTEN##*:} && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q '^HTTP/1.1 [234]'"]
ENTRYPOINT ["palabre"]
CMD ["serve"]
