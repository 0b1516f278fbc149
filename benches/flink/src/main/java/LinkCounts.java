import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Passages and the sum of their speeds on each link in windows of 10 s, by Flink SQL on a cluster within this process. */
public final class LinkCounts {
    /** Only what the query needs is declared, so that the decoder skips the rest. */
    private static final String PASSAGES =
            """
            CREATE TABLE passages (
              time_ms BIGINT, camera STRING, speed_kmh DOUBLE,
              seen AS TO_TIMESTAMP_LTZ(time_ms, 3),
              link AS link_of(camera),
              speed AS CAST(FLOOR(speed_kmh * 10 + 0.5) AS BIGINT),
              WATERMARK FOR seen AS seen - INTERVAL '1' SECOND
            ) WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = '%s')""";
    private static final String WINDOWS =
            """
            SELECT window_end, link, COUNT(*) AS vehicles, SUM(speed) AS speed_sum
            FROM TABLE(TUMBLE(TABLE passages, DESCRIPTOR(seen), INTERVAL '10' SECOND))
            GROUP BY window_start, window_end, link""";

    /** One table for all tasks: they share this process. */
    private static Links links;

    private record Window(long endMs, int link, long vehicles, long speedSum) {
        static Window of(Row row) {
            long endMs = row.<LocalDateTime>getFieldAs(0).toInstant(ZoneOffset.UTC).toEpochMilli();
            return new Window(endMs, row.getFieldAs(1), row.getFieldAs(2), row.getFieldAs(3));
        }
    }

    /** LINES CAMERAS OUT [--warm-up-s S] [--parallelism N] [--set KEY=VALUE]... */
    public static void main(String[] args) throws Exception {
        double warmUpS = 0;
        Configuration settings = fastest();
        for (int n = 3; n + 1 < args.length; n += 2) {
            switch (args[n]) {
                case "--warm-up-s" -> warmUpS = Double.parseDouble(args[n + 1]);
                case "--parallelism" -> settings.setString("parallelism.default", args[n + 1]);
                case "--set" -> settings.setString(args[n + 1].split("=", 2)[0], args[n + 1].split("=", 2)[1]);
                default -> throw new IllegalArgumentException("no option " + args[n]);
            }
        }
        links = new Links(Files.readAllLines(Path.of(args[1])));
        Meter meter = new Meter(warmUpS);
        List<Window> windows = count(Path.of(args[0]), settings);
        meter.print();
        windows.sort(Comparator.comparingLong(Window::endMs).thenComparingInt(Window::link));
        try (PrintWriter out = new PrintWriter(args[2])) {
            out.println("window_end_ms,link,vehicles,speed_sum");
            windows.forEach(w -> out.println(w.endMs + "," + w.link + "," + w.vehicles + "," + w.speedSum));
        }
    }

    private static Configuration fastest() {
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", "2");
        settings.setString("pipeline.object-reuse", "true");
        settings.setString("table.local-time-zone", "UTC");
        settings.setString("table.optimizer.agg-phase-strategy", "TWO_PHASE");
        // Local aggregates gather passages in this memory: little of it stays in the caches of the processor.
        settings.setString("taskmanager.memory.managed.size", "16m");
        return settings;
    }

    private static List<Window> count(Path lines, Configuration settings) throws Exception {
        var environment = EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build();
        TableEnvironment tables = TableEnvironment.create(environment);
        tables.createTemporarySystemFunction("link_of", LinkOf.class);
        tables.executeSql(PASSAGES.formatted(lines.toUri()));
        List<Window> windows = new ArrayList<>();
        try (CloseableIterator<Row> rows = tables.executeSql(WINDOWS).collect()) {
            rows.forEachRemaining(row -> windows.add(Window.of(row)));
        }
        return windows;
    }

    /** The link on which a camera looks. Each passage goes through here once, so they are counted here. */
    public static final class LinkOf extends ScalarFunction {
        private transient AtomicLong counter;
        private transient long counted;

        @Override
        public void open(FunctionContext context) {
            counter = Meter.counter();
        }

        public int eval(String camera) {
            counter.lazySet(++counted);
            return links.of(camera);
        }
    }

    /** Camera to link: a table of fingerprints, each with its link beside it, so that a look-up is one wait for memory. */
    private static final class Links {
        private final long[] table;
        private final int shift;

        Links(List<String> rows) {
            shift = Long.numberOfLeadingZeros(rows.size()) - 1;
            table = new long[2 << (64 - shift)];
            for (String row : rows.subList(1, rows.size())) {
                int comma = row.lastIndexOf(',');
                long fingerprint = fingerprint(row.substring(0, comma));
                int place = place(fingerprint);
                if (table[place] != 0) {
                    throw new IllegalArgumentException("two cameras with one fingerprint: " + row);
                }
                table[place] = fingerprint;
                table[place + 1] = Integer.parseInt(row.substring(comma + 1));
            }
        }

        int of(String camera) {
            int place = place(fingerprint(camera));
            if (table[place] == 0) {
                throw new IllegalArgumentException("no link for camera " + camera);
            }
            return (int) table[place + 1];
        }

        /** Where the fingerprint is, or the free place for it. */
        private int place(long fingerprint) {
            int place = (int) (fingerprint * 0x9E3779B97F4A7C15L >>> shift) * 2;
            while (table[place] != 0 && table[place] != fingerprint) {
                place = (place + 2) & (table.length - 1);
            }
            return place;
        }

        private static long fingerprint(String camera) {
            long fingerprint = 1;
            for (int n = 0; n < camera.length(); n++) {
                fingerprint = fingerprint * 0x5851F42D4C957F2DL + camera.charAt(n);
            }
            return fingerprint;
        }
    }

    /** The rate from the end of the warm-up, counted from the first passage, to the last passage: looked at every 5 ms. */
    private static final class Meter extends Thread {
        private static final List<AtomicLong> COUNTERS = new CopyOnWriteArrayList<>();

        private record Sample(long ns, long cpuNs, long passages) {}

        private final long warmUpNs;
        private volatile boolean done;
        private Sample first;
        private Sample from;
        private Sample last;

        Meter(double warmUpS) {
            warmUpNs = (long) (warmUpS * 1e9);
            setDaemon(true);
            start();
        }

        static AtomicLong counter() {
            AtomicLong counter = new AtomicLong();
            COUNTERS.add(counter);
            return counter;
        }

        @Override
        public void run() {
            while (!done) {
                look(sample());
                try {
                    sleep(5);
                } catch (InterruptedException e) {
                    return;
                }
            }
            look(sample());
        }

        private void look(Sample now) {
            if (now.passages > 0) {
                first = first == null ? now : first;
                from = from == null && now.ns - first.ns >= warmUpNs ? now : from;
                last = last == null || last.passages < now.passages ? now : last;
            }
        }

        private static Sample sample() {
            var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long passages = COUNTERS.stream().mapToLong(AtomicLong::get).sum();
            return new Sample(System.nanoTime(), system.getProcessCpuTime(), passages);
        }

        void print() throws InterruptedException {
            done = true;
            join();
            if (from == null || last.ns <= from.ns) {
                throw new IllegalStateException("all was over before the warm-up was");
            }
            long passages = last.passages - from.passages;
            double seconds = (last.ns - from.ns) / 1e9;
            double cores = (last.cpuNs - from.cpuNs) / 1e9 / seconds;
            System.out.printf(
                    "{\"passages\":%d,\"seconds\":%.3f,\"per_s\":%.0f,\"cores\":%.2f}%n",
                    passages, seconds, passages / seconds, cores);
        }
    }
}
