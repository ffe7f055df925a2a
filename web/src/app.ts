/** Entry of the page for those who are signed in. */
import "@fontsource-variable/atkinson-hyperlegible-next/index.css";
import "./base.css";
import { mount } from "svelte";
import App from "./App.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target });
