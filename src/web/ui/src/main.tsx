// Where it begins.

import { render } from "preact";

import "./styles/index.css";
import { boot } from "./state/app";
import { applyTheme } from "./state/preferences";
import { toastError } from "./state/toasts";
import { App } from "./views/app";

applyTheme();
render(<App />, document.getElementById("app")!);
boot().catch((error: unknown) => toastError("Hearth could not start.", error));
