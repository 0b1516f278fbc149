/** Starts the terminal's page. */
import { start } from "../start";
import { App } from "./app";
import { keptLogin } from "./login";
import { speech } from "./say";
import "./style.css";

const login = keptLogin();
start(speech, (speak) => <App key="page" speak={speak} first={login} />);
