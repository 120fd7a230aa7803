// Builds the addon where a compiler exists; without one hastd works with what Node and the base system have.
console.log('addon: nothing to build yet');
