import { disguiseAll } from '../pseudo';
import { en } from './en';

export const pseudo = disguiseAll(en);
