#!/usr/bin/env bash
# The passages and the sum of their speeds on each link in windows of 10 s, counted by Apache Flink SQL within one process.
#   run.sh LINES.jsonl CAMERAS.csv OUT.csv [--warm-up-s S] [--parallelism N] [--set KEY=VALUE]...
# Prints one line of JSON: what was counted from the end of the warm-up to the last passage. Exits 3 when a tool is missing.
# JVM="..." replaces the options of Java, TMPDIR is to have room for another copy of the lines.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
[ $# -ge 3 ] || { sed -n '2,5s/^# *//p' "$0" >&2; exit 2; }

need() {
  command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2" >&2; exit 3; }
}
need java openjdk-17-jdk-headless
classes="$here/target/classes"
if [ ! -d "$here/target/lib" ] || [ -n "$(find "$here/pom.xml" "$here/src" -newer "$classes/LinkCounts.class" 2>&1)" ]; then
  need javac openjdk-17-jdk-headless
  need mvn maven
  mvn -q -B -o -f "$here/pom.xml" process-classes >/dev/null 2>&1 || mvn -q -B -f "$here/pom.xml" process-classes >&2
  touch "$classes/LinkCounts.class"
fi

lines=$1 cameras=$2 out=$3 parallelism=2
shift 3
for ((n = 1; n < $#; n += 2)); do
  if [ "${!n}" = --parallelism ]; then next=$((n + 1)) && parallelism=${!next}; fi
done
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# A local file is one split for Flink, however long: dealt out line by line it is one for each task, like partitions of Kafka.
if [ "$parallelism" -gt 1 ] && [ -f "$lines" ]; then
  mkdir "$scratch/lines"
  split -n "r/$parallelism" "$lines" "$scratch/lines/part-"
  lines="$scratch/lines"
fi
# shellcheck disable=SC2086
java ${JVM:--XX:+UseParallelGC -Xms3g -Xmx3g} -Djava.io.tmpdir="$scratch" \
  --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
  -cp "$classes:$here/target/lib/*" LinkCounts "$lines" "$cameras" "$out" "$@"
