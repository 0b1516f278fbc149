/** Stage names: the engine's English compass words, in Chinese where the page speaks Chinese. Pure. */
import type { Lang } from "./i18n";

const POINTS: [english: string, chinese: string][] = [
  ["north-east", "东北"], ["south-east", "东南"], ["south-west", "西南"], ["north-west", "西北"],
  ["north", "北"], ["south", "南"], ["east", "东"], ["west", "西"],
];
const KINDS: Record<string, string> = { through: "直行", left: "左转", alone: "单放", "": "放行" };
/** As Chinese orders the pair, whichever leg the engine names first. */
const ORDER = "东西南北";

/** `north-south through` as 南北直行; any other name as it is. */
export function stageInWords(name: string, lang: Lang): string {
  if (lang !== "zh") return name;
  const match = /^([a-z-]+?)(?: (through|left|alone))?$/.exec(name);
  const legs = match && pointsOf(match[1] ?? "");
  if (!legs) return name;
  const single = legs.every((l) => l.length === 1);
  const said = single ? [...legs].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).join("") : legs.join("—");
  return `${said}${KINDS[match[2] ?? ""]}`;
}

/** Splits `north-east-south-west` into compass points, the longer ones first; null when it holds another word. */
function pointsOf(text: string): string[] | null {
  const found: string[] = [];
  let rest = text;
  while (rest !== "") {
    const point = POINTS.find(([english]) => rest === english || rest.startsWith(`${english}-`));
    if (!point) return null;
    found.push(point[1]);
    rest = rest.slice(point[0].length).replace(/^-/, "");
  }
  return found.length > 0 ? found : null;
}
