import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

// Layers of src/, highest first. A folder imports from its own layer's folder and from lower layers only; folders of one
// layer (the features) do not import each other.
const LAYERS = [
  ['pages'],
  ['daily', 'lesson', 'lobby', 'replay', 'teaching'],
  ['room'],
  ['stage'],
  ['ui'],
  ['client'],
];
// The same within daily/: the two sides of a call see its state, not each other.
const DAILY_LAYERS = [['screens', 'bridge'], ['call']];

/** Forbid each folder below `root` to import from the others of its layer and from higher layers. */
function layerRules(root, layers) {
  return layers.flatMap((layer, depth) =>
    layer.map((folder) => {
      const forbidden = layers
        .slice(0, depth + 1)
        .flat()
        .filter((other) => other !== folder);
      return [`${root}/${folder}/**`, forbidden];
    }),
  );
}

function restrictImports([files, folders], paths = []) {
  const patterns = folders.map((folder) => ({
    regex: `^\\.{1,2}/(?:.*/)?${folder}/`,
    message: `Layers: ${files} does not import from ${folder}/ (see LAYERS in eslint.config.js).`,
  }));
  return { files: [files], rules: { 'no-restricted-imports': ['error', { paths, patterns }] } };
}

const WITHOUT_REACT = ['react', 'react-dom', '@livekit/components-react'].map((name) => ({
  name,
  message: 'client/ is a library that works without React.',
}));

const topLayers = layerRules('src', LAYERS).map(([files, folders]) =>
  restrictImports([files, folders], files === 'src/client/**' ? WITHOUT_REACT : []),
);
// A later configuration of a rule replaces an earlier one: repeat what holds for all of daily/.
const [, dailyForbids] = layerRules('src', LAYERS).find(([files]) => files === 'src/daily/**');
const dailyLayers = layerRules('src/daily', DAILY_LAYERS).map(([files, folders]) =>
  restrictImports(
    [files, [...dailyForbids, ...folders]],
    files === 'src/daily/screens/**' ? [] : WITHOUT_REACT,
  ),
);

export default tseslint.config(
  { ignores: ['dist', 'node_modules'] },
  {
    files: ['src/**/*.{ts,tsx}', 'vite.config.ts'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat.recommended,
      jsxA11y.flatConfigs.strict,
    ],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
          message: 'Names come from strangers: render them as text nodes.',
        },
        {
          selector: 'JSXOpeningElement[name.name=/^(style|script)$/]',
          message: 'The content security policy forbids inline styles and scripts.',
        },
      ],
      // Numbers in templates are safe and common.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Event handlers may start work that reports its own failures; `void` marks each of them.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  ...topLayers,
  ...dailyLayers,
  {
    files: ['src/client/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['window', 'document'].map((name) => ({ name, message: 'client/ works without a page.' })),
      ],
    },
  },
);
