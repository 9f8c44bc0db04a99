// The editor of a cell: CodeMirror, loaded when the first cell is edited. It stands in a shadow
// root, where its style sheets need no inline style.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, defaultHighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";

export interface Editor {
  readonly text: string;
  focus(): void;
  close(): void;
}

export function openEditor(pre: HTMLElement, code: string, label: string, on: { run(): void; changed(): void }): Editor {
  const host = document.createElement("div");
  host.className = "live-editor";
  pre.hidden = true;
  pre.after(host);
  const root = host.attachShadow({ mode: "open" });
  const run = () => (on.run(), true);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: code,
      extensions: [
        keymap.of([
          { key: "Shift-Enter", run },
          { key: "Mod-Enter", run },
          ...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"),
          ...historyKeymap,
          indentWithTab,            // Escape, then Tab, leaves the editor
        ]),
        history(),
        python(),
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        syntaxHighlighting(defaultHighlightStyle),
        EditorView.contentAttributes.of({ "aria-label": `${label}; Escape, then Tab leaves it` }),
        EditorView.updateListener.of((update) => update.docChanged && on.changed()),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    focus: () => view.focus(),
    close() {
      view.destroy();
      host.remove();
      pre.hidden = false;
    },
  };
}
