/* A real proxy, set up as the README says, below /hark and with a password of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { root } from "./speech";

export const password = { username: "team", password: "open-sesame" };

interface Proxy {
  command: string[]; // with the configuration's path at the end
  configuration(dir: string, port: number, block: string): string;
}

export const proxies: Record<"nginx" | "caddy", Proxy> = {
  nginx: {
    command: ["nginx", "-p", ".", "-c"],
    configuration: (dir, port, block) => {
      writeFileSync(join(dir, "users"), `${password.username}:{PLAIN}${password.password}\n`);
      return `daemon off; master_process off; pid ${dir}/pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
  server { listen 127.0.0.1:${port}; auth_basic "Team"; auth_basic_user_file ${dir}/users;
${block}
  }
}`;
    },
  },
  caddy: {
    command: ["caddy", "run", "--adapter", "caddyfile", "--config"],
    configuration: (dir, port, block) => {
      const hash = execFileSync("caddy", ["hash-password", "--plaintext", password.password], { encoding: "utf8" }).trim();
      return `{
	admin off
	auto_https off
	storage file_system ${dir}
}
http://:${port} {
	bind 127.0.0.1
	basicauth {
		${password.username} ${hash}
	}
${block}
}
`;
    },
  },
};

export function isInstalled(command: string): boolean {
  try {
    execFileSync("which", [command]);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });

/** Runs a proxy until it is stopped; target is what the README calls 127.0.0.1:8080. */
export async function startProxy(name: keyof typeof proxies, target: string): Promise<{ origin: string; stop: () => void }> {
  const shown = new RegExp(`^\`\`\`${name}\\n(.*?)^\`\`\``, "ms").exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
  if (!shown) throw new Error(`the README does not show ${name}`);
  const dir = mkdtempSync(join(tmpdir(), "hark-proxy-"));
  chmodSync(dir, 0o755); // its workers may be other users
  const port = await freePort();
  const { command, configuration } = proxies[name];
  const path = join(dir, "conf");
  writeFileSync(path, configuration(dir, port, shown.replaceAll("127.0.0.1:8080", target)));
  const program = command[0]!;
  const args = [...command.slice(1), path];
  const running: ChildProcess = spawn(program, args, { cwd: dir, stdio: "ignore", env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } });
  process.once("exit", () => running.kill("SIGKILL"));
  while (!(await answers(port))) {
    if (running.exitCode !== null) throw new Error(`${name} ended with ${running.exitCode}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return { origin: `http://127.0.0.1:${port}`, stop: () => (running.kill("SIGKILL"), rmSync(dir, { recursive: true, force: true })) };
}
