"""One module per part of the officers' work. Every view asks who may; what nobody granted is refused."""
