// ipywidgets on the page: Jupyter's own HTML manager, whose messages go to the worker.

import "@jupyter-widgets/controls/css/labvariables.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import { HTMLManager } from "@jupyter-widgets/html-manager/lib/htmlmanager.js";
import type { Comm } from "./messages";

export interface Widgets {
  receive(comm: Comm): void;
  show(model: string, place: HTMLElement, alt: string): void;
}

// What Jupyter's widgets leave without a name for screen readers: a slider's handle, a picture.
function name(place: HTMLElement, alt: string) {
  for (const handle of place.querySelectorAll("[role=slider]:not([aria-label])"))
    handle.setAttribute("aria-label", handle.closest(".widget-inline-hbox")?.querySelector(".widget-label")?.textContent || "value");
  for (const image of place.querySelectorAll("img:not([alt])")) image.setAttribute("alt", alt);
}

export function makeWidgets(send: (comm: Comm) => void): Widgets {
  return new Manager(send);
}

class Manager extends HTMLManager implements Widgets {
  private readonly comms = new Map<string, any>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly send: (comm: Comm) => void) {
    super();
  }

  // One message at a time: an update must find its model built.
  receive(comm: Comm) {
    this.turn = this.turn.then(() => this.take(comm)).catch((error) => console.error("widget", error));
  }

  show(model: string, place: HTMLElement, alt: string) {
    new MutationObserver(() => name(place, alt)).observe(place, { childList: true, subtree: true });
    this.turn = this.turn.then(async () => {
      const view = await this.create_view(await this.get_model(model));
      await this.display_view(view, place);
    });
  }

  private async take(comm: Comm) {
    const buffers = (comm.buffers ?? []).map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
    const content = { comm_id: comm.comm, target_name: comm.target, data: comm.data };
    const message: any = { header: { msg_type: comm.message }, parent_header: {}, metadata: comm.metadata ?? {}, content, buffers };
    if (comm.message === "comm_open") return this.handle_comm_open(this.makeComm(comm.comm, comm.target!), message);
    const open = this.comms.get(comm.comm);
    if (comm.message === "comm_msg") return open?.onMessage?.(message);
    return open?.onClose?.(message);
  }

  private makeComm(id: string, target: string): any {
    const comm: any = {
      comm_id: id,
      target_name: target,
      open: () => "",
      close: () => (this.comms.delete(id), ""),
      send: (data: any, callbacks: any) => {
        this.send({ comm: id, message: "comm_msg", data });
        // Python is busy, then idle: this lets the model send what it has held back.
        setTimeout(() => callbacks?.iopub?.status?.({ content: { execution_state: "idle" } }), 0);
        return "";
      },
      on_msg: (act: any) => (comm.onMessage = act),
      on_close: (act: any) => (comm.onClose = act),
    };
    this.comms.set(id, comm);
    return comm;
  }

  async _create_comm(target: string, id: string) {
    return this.makeComm(id, target);
  }
}
