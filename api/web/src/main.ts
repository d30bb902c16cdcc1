import "./style/tokens.css";
import "./style/base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { keepPrefs } from "./state/prefs.svelte";
import { route } from "./state/route.svelte";
import { renew } from "./state/renew";

keepPrefs();
route.listen();
mount(App, { target: document.getElementById("app")! });
renew();
