import tseslint from "typescript-eslint";

// Names of the user's are text everywhere: nothing may be read as HTML.
const html = "Names of the user's are text: let Preact write them";
export default tseslint.config(...tseslint.configs.recommended, {
  rules: {
    "no-restricted-syntax": [
      "error",
      { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: html },
      { selector: "Property[key.name='dangerouslySetInnerHTML']", message: html },
      { selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]", message: html },
      { selector: "CallExpression[callee.object.name='document'][callee.property.name='write']", message: html },
    ],
  },
});
