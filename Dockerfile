# The primary, and the operator's seat (db-backup). Dockerfile.replica is the same but for its last lines, so that its layers are shared.
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ make postgresql-server-dev-17 libpq-dev libboost-date-time-dev libseccomp-dev liblz4-dev libxxhash-dev nlohmann-json3-dev libcli11-dev libcurl4-gnutls-dev libssl-dev
WORKDIR /src
COPY Makefile mfi.control ./
COPY scripts/dev/find_pg_config.sh scripts/dev/
COPY extension extension
COPY src src
RUN make -j "$(nproc)" WITH_COMMAND=yes DEBUG_INFO=no && make install WITH_COMMAND=yes DESTDIR=/out && strip /out/usr/lib/postgresql/17/bin/mfi && find /out -name '*.so' -exec strip --strip-unneeded {} +

FROM debian:trixie-slim
ENV LANG=C.UTF-8 PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN groupadd -r -g 999 postgres && \
    useradd -r -u 999 -g postgres -d /var/lib/postgresql -s /bin/bash postgres && \
    mkdir -p /etc/postgresql-common/createcluster.d && \
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/mfi.conf && \
    apt-get update && \
    apt-get install -y --no-install-recommends postgresql-17 libseccomp2 liblz4-1 zstd restic restic-rest-server openssh-client libcurl3t64-gnutls tzdata ca-certificates && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* /etc/ssl/private/ssl-cert-snakeoil.key && \
    install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data /backups /recovery /scratch /run/mfi /srv/copies
# The locale of databases that the official image made.
RUN localedef -i en_US -f UTF-8 en_US.UTF-8
COPY --from=build /out /
COPY config /etc/mfi
COPY init-scripts /docker-entrypoint-initdb.d
COPY scripts/*.sh /usr/local/lib/mfi/
RUN ln -s /usr/local/lib/mfi/backup.sh /backup.sh && \
    for name in restore recover health promote rejoin keycloak-sync; do ln -s /usr/lib/postgresql/17/bin/mfi "/$name.sh"; done
EXPOSE 5432
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=10s --start-period=30m CMD /health.sh node; test $? -le 1
ENTRYPOINT ["/usr/local/lib/mfi/primary-entrypoint.sh"]
