// Draws the pictures in docs/images from the demo: `npm ci && node screenshots.js` in this folder, after `cargo build`.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask, browse, enter, open, stop } from './harness.js';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/images/', import.meta.url));
const WIDE = { width: 1040, height: 640 };

mkdirSync(FOLDER, { recursive: true });
const { lines } = await open(['demo', '--listen', '127.0.0.1:0'], /Ctrl-C/);
const [link] = lines.join('\n').match(/http:\S+#link=\S+/);
const tokenOf = (role) => new RegExp(`^  ${role} +(\\S+)$`, 'm').exec(lines.join('\n'))[1];

async function picture(page, name) {
	await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: 'disabled' });
}

let cookies;

async function seat(options) {
	const page = await browse({ viewport: WIDE, ...options });
	if (cookies) {
		await page.context().addCookies(cookies);
		await page.goto('/moderation');
	} else {
		await page.goto(link);
		await enter(page);
		cookies = await page.context().cookies();
	}
	await page.locator('.card').first().waitFor();
	return page;
}

try {
	// A raid among the sample threads.
	const site = tokenOf('site');
	for (let n = 0; n < 14; n += 1) {
		await ask(site, 'POST', '/v1/threads/bamako-delestage-2026/comments', { body: 'Gagnez 150 000 F par jour depuis votre téléphone, écrivez-moi vite sur WhatsApp !!', author: { id: `bot${n}`, name: `Moussa Business ${n + 1}` } });
	}
	const light = await seat({ lang: 'fr', colorScheme: 'light' });
	await picture(light, 'queue');
	const dark = await seat({ lang: 'en', colorScheme: 'dark' });
	await dark.keyboard.press('?');
	await dark.locator('dialog').waitFor();
	await picture(dark, 'keys');
	const phone = await seat({ lang: 'fr', colorScheme: 'light', viewport: { width: 360, height: 640 }, deviceScaleFactor: 1.5 });
	await picture(phone, 'phone');
} finally {
	await stop();
}
