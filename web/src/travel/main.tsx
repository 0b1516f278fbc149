/** Starts the travellers' page. */
import { start } from "../start";
import { App } from "./app";
import { speech } from "./say";
import "./style.css";

start(speech, (speak) => <App key="page" speak={speak} />);
