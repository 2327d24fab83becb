import "./app.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { reloadWhenBuilt } from "./reload";

const target = document.getElementById("app");
if (target) mount(App, { target });
reloadWhenBuilt();
