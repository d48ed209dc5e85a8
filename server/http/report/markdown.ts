import type { IncidentDetail } from "../../protocol/index.ts";

export async function writeMarkdown(detail: IncidentDetail, _locale: "en" | "zh-CN"): Promise<string> {
  return `# ${detail.incident.id}\n`;
}
