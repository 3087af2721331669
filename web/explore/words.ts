/** The words of these pages. */

import { translator } from '../src/i18n';
import en from './en.json';
import es from './es.json';

export const t = translator({ en, es });
