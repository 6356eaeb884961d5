// The page to read and try the REST API: Swagger UI over the server's own description.
import 'swagger-ui-dist/swagger-ui.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  dom_id: '#docs',
  url: '/openapi.json',
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  // Its badge would send the description to a validator on the internet.
  validatorUrl: 'none',
});
