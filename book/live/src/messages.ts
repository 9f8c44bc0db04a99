// What page and worker say to each other. The worker answers a "run" with any number of
// "output" and one "end"; "comm" carries what ipywidgets says, either way.

export type Output =
  | { kind: "stdout" | "stderr" | "text" | "html" | "error"; data: string }
  | { kind: "png"; data: string }       // base64
  | { kind: "widget"; data: string };   // the id of a widget's model

export type Comm = { comm: string; message: string; target?: string; data: any; metadata?: any; buffers?: any[] };

export type ToWorker =
  | { type: "start"; base: string }
  | { type: "run"; id: number; name: string; code: string }
  | ({ type: "comm" } & Comm);

export type FromWorker =
  | { type: "progress"; text: string; done: number; total: number }   // bytes
  | { type: "ready" }
  | { type: "failed"; text: string }
  | { type: "output"; id: number; output: Output }
  | { type: "end"; id: number; ok: boolean }
  | ({ type: "comm" } & Comm);
