"""The demo shop: storefront, payments and worker, ordinary users of the public face of obs."""
