# Builds Palabre and runs it as an unprivileged user; the data is in the volume /data.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc g++ make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data palabre
COPY --from=build /src/target/release/palabre /usr/local/bin/palabre
USER palabre
ENV PALABRE_DATA_DIR=/data PALABRE_LISTEN=0.0.0.0:8080 PALABRE_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["palabre"]
CMD ["serve"]
