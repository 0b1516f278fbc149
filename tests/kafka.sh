#!/usr/bin/env bash
# A real Apache Kafka broker for tests and benches: one process, broker and controller, on loopback.
#   kafka.sh install              fetches it, once
#   kafka.sh run DIR PORT CPORT   runs it with its data in DIR until its standard input ends; then it is killed, as by kill -9
# With TPORT and SPORT after these it also listens with TLS: on one to clients with a certificate, on the other to those that log
# in as `nanming` with the password `correct horse`. DIR/broker.pem has its key and certificate, DIR/ca.pem who vouches for clients.
set -euo pipefail
cd "$(dirname "$0")/.."
version=4.3.1
home="$(realpath -m "${CARGO_TARGET_DIR:-target}")/kafka/$version"

# In a shell of its own: the lock goes with it.
install() (
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  [ -e "$home/lib/installed" ] && exit
  cat >"$home/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nanming</groupId> <artifactId>kafka</artifactId> <version>1</version> <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$home/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$home/lib"
  touch "$home/lib/installed"
)

run() {
  local dir=$1 port=$2 controller=$3 tls=${4:-} sasl=${5:-}
  mkdir -p "$dir"
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.enable=false
PROPERTIES
  local users=()
  if [ -n "$tls" ]; then
    # The last word on a setting counts.
    cat >>"$dir/server.properties" <<PROPERTIES
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller,SSL://127.0.0.1:$tls,SASL_SSL://127.0.0.1:$sasl
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SSL://localhost:$tls,SASL_SSL://localhost:$sasl
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=$dir/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$dir/ca.pem
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
PROPERTIES
    local hash
    for hash in 256 512; do users+=(--add-scram "SCRAM-SHA-$hash=[name=nanming,password=correct horse]"); done
  fi
  local java=(java -Xms128m -Xmx384m -XX:+UseSerialGC -Xshare:auto -cp "$home/lib/*")
  if [ ! -e "$dir/data/meta.properties" ]; then
    "${java[@]}" -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ \
      -c "$dir/server.properties" --ignore-formatted ${users[@]+"${users[@]}"} >"$dir/format.log" 2>&1 </dev/null
  fi
  "${java[@]}" ${KAFKA_JAVA_OPTIONS:--XX:TieredStopAtLevel=1} kafka.Kafka "$dir/server.properties" \
    >>"$dir/kafka.log" 2>&1 </dev/null &
  cat <&0 >/dev/null &
  wait -n || true # for the end of either
  kill -9 $(jobs -p) 2>/dev/null || true
}

case "${1:-}" in
  install) install ;;
  run) install && run "${@:2}" ;;
  *) sed -n '2,6p' "$0"; exit 2 ;;
esac
