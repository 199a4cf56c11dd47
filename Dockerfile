# syntax=docker/dockerfile:1

# The browser SDK, which the program carries.
FROM node:20-bookworm-slim AS sdk
WORKDIR /sdk
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
# The dependencies in a layer of their own, built against an empty program: it stays while Cargo.lock does.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && touch src/lib.rs \
    && for file in build.rs src/main.rs; do echo 'fn main() {}' > "$file"; done \
    && cargo build --release --locked --lib \
    && rm -r build.rs src
COPY --from=sdk /sdk/node_modules/@vonage/client-sdk /sdk
ENV CLICK_TO_CALL_SDK_DIR=/sdk
COPY build.rs private.key.example ./
COPY config config
COPY locales locales
COPY migrations migrations
COPY static static
COPY views views
COPY src src
# Cargo goes by times, and the empty program may be younger than the real one.
RUN touch build.rs src/lib.rs src/main.rs \
    && cargo build --release --locked --bin click-to-call \
    && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="click-to-call" \
      org.opencontainers.image.description="A working Call button for a website, on Vonage" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /build/target/release/click-to-call /usr/local/bin/click-to-call
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
ENV CLICK_TO_CALL__HTTP__BIND=0.0.0.0 \
    CLICK_TO_CALL__HTTP__DRAIN_SECONDS=3 \
    CLICK_TO_CALL__LOG__FORMAT=json \
    DATABASE_URL=sqlite:///data/click-to-call.db \
    PORT=3000
VOLUME /data
EXPOSE 3000
# Asks whether it is ready, not only whether it is up. A stop takes up to 18 s: http.drain_seconds (3),
# http.shutdown_timeout_seconds (10), and 5 for the last hang-ups. `docker stop` gives 10 unless told `--timeout 20`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["click-to-call", "healthcheck"]
ENTRYPOINT ["click-to-call"]
CMD ["serve"]
