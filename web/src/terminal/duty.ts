/** What a terminal knows: its tasks and the answers that nobody has confirmed yet. Pure; docs/terminals.md has the frames. */

export type Answer = "accept" | "decline" | "arrived" | "closed";
export type Phase = "assigned" | "accepted" | "arrived";

export interface Task {
  assignment: string; call: number; priority: "A" | "B" | "C"; category: string; lon: number; lat: number; words: string; eta_s: number;
  time_ms: number; phase: Phase;
}

export interface Said { assignment: string; answer: Answer; why?: string }

/** What is to be told apart from tasks: why one is gone, or why an answer was not taken. */
export type Notice = { kind: "withdrawn" | "refused"; reason: string } | { kind: "gone" } | { kind: "reminded" };

export interface Duty {
  name: string;
  /** ID of the last frame. */
  last: number;
  tasks: Task[];
  unconfirmed: Said[];
  notice: Notice | null;
}

export type Frame =
  | ({ type: "assignment"; id: number; unit: number } & Task)
  | { type: "withdrawn"; id: number; assignment: string; reason: string }
  | { type: "reminder"; id: number; assignment: string }
  | { type: "ack_result"; id: number; assignment: string; answer: Answer; ok: boolean; reason?: string }
  | { type: "current"; id: number; unit: number; name: string; in_force: string[] }
  | { type: "error"; reason: string; detail: string }
  | { type: "pong" };

export const NOBODY: Duty = { name: "", last: 0, tasks: [], unconfirmed: [], notice: null };

const without = (tasks: Task[], assignment: string): Task[] => tasks.filter((task) => task.assignment !== assignment);
const PHASE_AFTER: Partial<Record<Answer, Phase>> = { accept: "accepted", arrived: "arrived" };
const STEPS: Phase[] = ["assigned", "accepted", "arrived"];

/** Takes a frame. The same frame twice changes nothing more. */
export function hear(duty: Duty, frame: Frame): Duty {
  const last = "id" in frame ? frame.id : duty.last;
  switch (frame.type) {
    case "assignment": {
      const { assignment, call, priority, category, lon, lat, words, eta_s, time_ms, phase } = frame;
      const task = { assignment, call, priority, category, lon, lat, words, eta_s, time_ms, phase: STEPS.includes(phase) ? phase : "assigned" };
      return { ...duty, last, tasks: [...without(duty.tasks, assignment), task] };
    }
    case "withdrawn": {
      const had = duty.tasks.some((task) => task.assignment === frame.assignment);
      const notice: Notice | null = had ? { kind: "withdrawn", reason: frame.reason } : duty.notice;
      return { ...forget(duty, frame.assignment), last, notice };
    }
    case "reminder": {
      const stands = duty.tasks.some((task) => task.assignment === frame.assignment && task.phase === "assigned");
      return { ...duty, last, notice: stands ? { kind: "reminded" } : duty.notice };
    }
    case "ack_result":
      return { ...answered(duty, frame), last };
    case "current": {
      const stays = (assignment: string): boolean => frame.in_force.includes(assignment);
      const tasks = duty.tasks.filter((task) => stays(task.assignment));
      const unconfirmed = duty.unconfirmed.filter((said) => stays(said.assignment));
      const notice: Notice | null = tasks.length < duty.tasks.length && duty.unconfirmed.length === unconfirmed.length ? { kind: "gone" } : duty.notice;
      return { ...duty, last, name: frame.name, tasks, unconfirmed, notice };
    }
    default:
      return duty;
  }
}

/** The unit answers: kept until it is confirmed, and sent again over every new link. */
export function say(duty: Duty, said: Said): Duty {
  return { ...duty, unconfirmed: [...duty.unconfirmed.filter((s) => s.assignment !== said.assignment || s.answer !== said.answer), said], notice: null };
}

function forget(duty: Duty, assignment: string): Duty {
  return { ...duty, tasks: without(duty.tasks, assignment), unconfirmed: duty.unconfirmed.filter((said) => said.assignment !== assignment) };
}

function answered(duty: Duty, frame: Extract<Frame, { type: "ack_result" }>): Duty {
  const unconfirmed = duty.unconfirmed.filter((said) => said.assignment !== frame.assignment || said.answer !== frame.answer);
  if (!frame.ok) return { ...duty, unconfirmed, notice: { kind: "refused", reason: frame.reason ?? "" } };
  const phase = PHASE_AFTER[frame.answer];
  if (!phase) return { ...forget(duty, frame.assignment), notice: null };
  const onward = (task: Task): Task => (task.assignment === frame.assignment && STEPS.indexOf(phase) > STEPS.indexOf(task.phase) ? { ...task, phase } : task);
  return { ...duty, unconfirmed, tasks: duty.tasks.map(onward) };
}

/** What the unit reports of itself. */
export function status(duty: Duty, onDuty: boolean): string {
  const phases = duty.tasks.map((task) => task.phase);
  if (phases.includes("arrived")) return "on_scene";
  if (phases.includes("accepted")) return "on_the_way";
  return onDuty ? "ready" : "off_duty";
}
