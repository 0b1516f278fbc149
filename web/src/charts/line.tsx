/** Small charts in SVG: a line, a line with a band, and two lines over time. */
import type { JSX } from "preact";

const points = (xs: number[], ys: number[]): string => xs.map((x, i) => `${x.toFixed(1)},${ys[i]!.toFixed(1)}`).join(" ");

/** A line without axes, for a figure's tile. Gaps (null) are left out. */
export function Spark({ values, width = 64, height = 18 }: { values: (number | null | undefined)[]; width?: number; height?: number }): JSX.Element | null {
  const known = values.filter((v): v is number => typeof v === "number");
  if (known.length < 2) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const span = high - low || 1;
  const xs = known.map((_, i) => (i / (known.length - 1)) * (width - 3) + 1);
  const ys = known.map((v) => height - 2 - ((v - low) / span) * (height - 4));
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points(xs, ys)} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

interface BandProps {
  x: number[];
  mid: number[];
  low: number[];
  high: number[];
  /** A level to compare with, such as free-flow speed. */
  rule?: number;
  mark?: number;
  label: string;
  tick: (x: number) => string;
}

/** An expected course with its interval; the x axis in minutes ahead. */
export function Band({ x, mid, low, high, rule, mark, label, tick }: BandProps): JSX.Element {
  const [w, h, left, bottom, top] = [320, 132, 28, 18, 8];
  const most = niceTop(Math.max(...high, rule ?? 0, 1));
  const [x0, x1] = [x[0] ?? 0, x.at(-1) ?? 1];
  const px = (v: number): number => left + ((v - x0) / (x1 - x0 || 1)) * (w - left - 8);
  const py = (v: number): number => top + (1 - v / most) * (h - top - bottom);
  const xs = x.map(px);
  const area = `${points(xs, high.map(py))} ${points([...xs].reverse(), [...low].reverse().map(py))}`;
  return (
    <svg class="band" viewBox={`0 0 ${w} ${h}`} role="img" aria-label={label}>
      {[0, most / 2, most].map((v) => (
        <g key={v}>
          <line class="rule" x1={left} x2={w - 8} y1={py(v)} y2={py(v)} />
          <text class="tick" x={left - 5} y={py(v) + 3} text-anchor="end">{Math.round(v)}</text>
        </g>
      ))}
      {x.filter((v) => v % 15 === 0).map((v) => <text key={v} class="tick" x={px(v)} y={h - 4} text-anchor="middle">{tick(v)}</text>)}
      {rule !== undefined && <line class="free" x1={left} x2={w - 8} y1={py(rule)} y2={py(rule)} />}
      <polygon class="interval" points={area} />
      <polyline class="mid" points={points(xs, mid.map(py))} />
      {mark !== undefined && <line class="mark" x1={px(mark)} x2={px(mark)} y1={top} y2={h - bottom} />}
    </svg>
  );
}

interface PairProps {
  time_ms: number[];
  a: (number | null)[];
  b: (number | null)[];
  from_ms: number;
  to_ms: number;
  label: string;
  tick: (time_ms: number) => string;
}

/** Two quantities over the same time, each on its own scale: `a` left, `b` right. */
export function Pair({ time_ms, a, b, from_ms, to_ms, label, tick }: PairProps): JSX.Element {
  const [w, h, side, bottom, top] = [320, 104, 28, 16, 6];
  const px = (v: number): number => side + ((v - from_ms) / (to_ms - from_ms || 1)) * (w - 2 * side);
  const scale = (values: (number | null)[]): { ends: number[]; y: (v: number) => number } => {
    const known = values.filter((v): v is number => v !== null);
    const [least, most] = [Math.min(...known, Infinity), Math.max(...known, -Infinity)];
    const room = Math.max((most - least) * 0.25, 2);
    const [low, high] = known.length ? [Math.max(0, Math.floor(least - room)), Math.ceil(most + room)] : [0, 1];
    return { ends: known.length ? [high, low] : [], y: (v) => top + (1 - (v - low) / (high - low)) * (h - top - bottom) };
  };
  const course = (values: (number | null)[], y: (v: number) => number): string => {
    const at = values.flatMap((v, i) => (v === null ? [] : [i]));
    return points(at.map((i) => px(time_ms[i]!)), at.map((i) => y(values[i]!)));
  };
  const [left, right] = [scale(a), scale(b)];
  const minute = 60_000;
  const ticks = Array.from({ length: 4 }, (_, i) => Math.ceil(from_ms / (5 * minute)) * 5 * minute + i * 5 * minute).filter((v) => v <= to_ms);
  return (
    <svg class="pair" viewBox={`0 0 ${w} ${h}`} role="img" aria-label={label}>
      {[0, 0.5, 1].map((share) => {
        const y = top + share * (h - top - bottom);
        return <line key={share} class="rule" x1={side} x2={w - side} y1={y} y2={y} />;
      })}
      {ticks.map((v) => <text key={v} class="tick" x={px(v)} y={h - 3} text-anchor="middle">{tick(v)}</text>)}
      {left.ends.map((v) => <text key={v} class="tick a" x={side - 5} y={left.y(v) + 4} text-anchor="end">{v}</text>)}
      {right.ends.map((v) => <text key={v} class="tick b" x={w - side + 5} y={right.y(v) + 4}>{v}</text>)}
      <polyline class="a" points={course(a, left.y)} />
      <polyline class="b" points={course(b, right.y)} />
    </svg>
  );
}

const niceTop = (most: number): number => Math.ceil(most / 20) * 20;
