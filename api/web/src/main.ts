import "./style/tokens.css";
import "./style/base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { guardComposition } from "./logic/composing";
import { keepPrefs } from "./state/prefs.svelte";
import { renew } from "./state/renew.svelte";
import { route } from "./state/route.svelte";

guardComposition(window); // before anything else hears of a key
keepPrefs();
route.listen();
mount(App, { target: document.getElementById("app")! });
renew();
