import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "public", "scripts", "*.config.*"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "@typescript-eslint/explicit-function-return-type": ["error", { allowExpressions: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      // A missing property is found by the compiler (noUncheckedIndexedAccess); `!` states an invariant.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // What comes from the network is checked although its type says that it need not be.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // The SDK's enums are the specification's words.
      "@typescript-eslint/no-unsafe-enum-comparison": "off",
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
    },
  },
  { files: ["**/*.test.ts"], rules: { "@typescript-eslint/explicit-function-return-type": "off" } },
);
