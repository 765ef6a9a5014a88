// A newspaper with a server of its own, and moderators who each sit at a browser of their own.
//
// PALABRE_BIN is the program under test, CHROMIUM the browser. With PALABRE_PAGE=src/http/page the page comes from
// that folder and not out of the program, so that one can work at it without building again.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PALABRE = process.env.PALABRE_BIN ?? join(ROOT, 'target/debug/palabre');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// How long anything may take, in milliseconds, before a test gives up on it.
export const PATIENCE = Number(process.env.PATIENCE ?? 20_000);
// How often to look meanwhile.
const EVERY = 20;

const directory = mkdtempSync(join(tmpdir(), 'palabre-browser-'));
const environment = { ...process.env, PALABRE_DATA_DIR: join(directory, 'data'), PALABRE_RATE_LIMIT: 'off', PALABRE_LOG: 'warn', TMPDIR: directory };
for (const name of ['DATABASE_URL', 'PALABRE_URL', 'PALABRE_BASE_PATH']) delete environment[name];

// What a command prints.
export async function palabre(...args) {
	const { stdout } = await promisify(execFile)(PALABRE, args, { env: environment });
	return stdout.trim();
}

// Starts what serves, and reads on until a line matches; the address is in the first.
export async function start(args, lastLine = /./) {
	const child = spawn(PALABRE, args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
	const lines = [];
	for await (const line of createInterface({ input: child.stdout })) {
		lines.push(line);
		if (lastLine.test(line)) break;
	}
	const address = lines[0]?.replace('listening on ', '');
	assert.match(address ?? '', /^http:/, `${args[0]} does not serve`);
	return { child, address, lines };
}

let server;
let browser;

export async function stop() {
	await browser?.close();
	server?.child.kill('SIGKILL');
	rmSync(directory, { recursive: true, force: true });
}

export async function open(args = ['serve', '--listen', '127.0.0.1:0'], lastLine) {
	server = await start(args, lastLine);
	browser = await chromium.launch({ executablePath: CHROMIUM });
	return server;
}

export async function until(isSo, what) {
	const end = Date.now() + PATIENCE;
	for (;;) {
		const is = await isSo();
		if (is) return is;
		assert.ok(Date.now() < end, `it never came about that ${what}`);
		await sleep(EVERY);
	}
}

export async function ask(token, method, path, body) {
	const headers = { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) };
	const response = await fetch(server.address + path, { method, headers, body: body && JSON.stringify(body) });
	const answer = response.status === 204 ? {} : await response.json();
	assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
	return answer;
}

let papers = 0;

// A site, what its readers write, and its moderators.
export class Newspaper {
	static async found() {
		const slug = `soir-${(papers += 1)}`;
		await palabre('site', 'add', slug);
		const [site, moderator, admin] = await Promise.all(['site', 'moderator', 'admin'].map((role) => palabre('token', '--role', role, '--site', slug, '--subject', `${role}-of-${slug}`)));
		const paper = new Newspaper(slug, { site, moderator, admin });
		// Nothing is left to chance.
		await paper.rule({ sample_share: 0 });
		return paper;
	}

	constructor(slug, tokens) {
		Object.assign(this, { slug, tokens });
	}

	rule(policy) {
		return ask(this.tokens.admin, 'PUT', `/v1/sites/${this.slug}/policy`, policy);
	}

	thread(key, settings) {
		return ask(this.tokens.site, 'PUT', `/v1/threads/${encodeURIComponent(key)}`, settings);
	}

	post(body, { thread = 'une', author = 'Awa', id = author.slice(0, 20), parent } = {}) {
		return ask(this.tokens.site, 'POST', `/v1/threads/${encodeURIComponent(thread)}/comments`, { body, author: { id, name: author }, parent_id: parent?.id });
	}

	// Comments of as many authors that wait, the first the oldest.
	async hold(bodies, thread = 'une') {
		await this.thread(thread, { mode: 'pre', title: 'À la une' });
		const held = [];
		for (const [index, body] of bodies.entries()) held.push(await this.post(body, { thread, author: `Lectrice ${index + 1}` }));
		return held;
	}

	edit({ id }, body) {
		return ask(this.tokens.site, 'PATCH', `/v1/comments/${id}`, { body });
	}

	async comment({ id }) {
		return ask(this.tokens.moderator, 'GET', `/v1/comments/${id}`);
	}

	async becomes(comment, status) {
		return until(async () => (await this.comment(comment)).status === status, `the comment is ${status}`);
	}

	async decide({ id }, action, details) {
		const { version } = await this.comment({ id });
		return ask(this.tokens.moderator, 'POST', `/v1/comments/${id}/decisions`, { action, version, ...details });
	}

	// A one-time link.
	account(name, ...options) {
		return palabre('moderator', 'add', `${name}-${this.slug}`, '--site', this.slug, '--url', server.address, ...options);
	}

	// A moderator who is signed in, and looks at the queue; the model's opinion changes with the model, the age does not.
	async seat(name = 'awa', { sort = 'oldest', ...options } = {}) {
		const link = await this.account(name);
		const page = await browse(options);
		await page.goto(link.replace('#', `?sort=${sort}#`));
		await enter(page);
		return page;
	}
}

// An admin of all sites, signed in.
export async function admin(options) {
	admins += 1;
	const link = await palabre('moderator', 'add', `chef-${admins}`, '--role', 'admin', '--url', server.address);
	const page = await browse(options);
	await page.goto(link);
	await enter(page);
	return page;
}

let admins = 0;

export async function enter(page) {
	await page.locator('#gate .primary').click();
	await page.locator('#desk').waitFor();
	await page.locator('#feed[aria-busy=false]').waitFor({ state: 'attached' });
}

// What went wrong in any browser of the test that is running.
const faults = [];
const contexts = [];
// Chromium says so of each request that is refused, which is for the page to tell, and for the tests to see.
const REFUSED = /the server responded with a status of (401|403|404|409|422|503)/;

export async function browse({ lang = 'en', ...options } = {}) {
	const context = await browser.newContext({ baseURL: server.address, locale: lang === 'fr' ? 'fr-FR' : 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
	contexts.push(context);
	context.setDefaultTimeout(PATIENCE);
	await context.addInitScript(() => document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
		console.error(`against the policy: ${violatedDirective} ${blockedURI}`);
	}));
	if (process.env.PALABRE_PAGE) await context.route(/\/moderation(\/models|\/[\w-]+\.(js|css))?([?#]|$)/, fromFolder);
	const page = await context.newPage();
	page.on('pageerror', (error) => faults.push(error.stack));
	page.on('dialog', (dialog) => { faults.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
	page.on('console', (message) => {
		if (message.type() === 'error' && !REFUSED.test(message.text())) faults.push(message.text());
	});
	return page;
}

const KINDS = { html: 'text/html', css: 'text/css', js: 'text/javascript' };

async function fromFolder(route) {
	const asked = new URL(route.request().url()).pathname.split('/moderation')[1].slice(1) || 'index';
	const name = asked.includes('.') ? asked : `${asked}.html`;
	const response = await route.fetch({ url: `${server.address}/moderation` });
	const headers = { ...response.headers(), 'content-type': `${KINDS[name.split('.').at(-1)]}; charset=utf-8` };
	delete headers['content-encoding'];
	await route.fulfill({ status: 200, headers, body: readFileSync(join(ROOT, process.env.PALABRE_PAGE, basename(name))) });
}

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export async function isAccessible(page, where) {
	await page.evaluate(axe.source);
	const { violations, passes } = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), WCAG);
	assert.deepEqual(violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`), []);
	assert.ok(passes.length > 5, 'and it did look');
}

export const card = (page, text) => page.locator('.card', { hasText: text });
export const current = (page) => page.locator('.card.current');
export const texts = (page) => page.locator('#feed .card .text').allTextContents();

// The focus is on the card with this text.
export const reads = (page, text) => page.locator('.card.current:focus .text', { hasText: text }).waitFor();

export async function escape(page) {
	await page.keyboard.press('Escape');
	await page.locator('dialog').waitFor({ state: 'detached' });
}

export const scrollsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

// For files of tests: a server and a browser for each, and no test may end with a fault.
export async function testing() {
	await open();
	after(stop);
	afterEach(async () => {
		await Promise.all(contexts.splice(0).map(async (context) => {
			await context.unrouteAll({ behavior: 'ignoreErrors' });
			await context.close();
		}));
		assert.deepEqual(faults.splice(0), [], 'the browser complains of nothing');
	});
	return server;
}
