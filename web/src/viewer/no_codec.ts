// In place of a decoder that nothing here is encoded for.

export default null;
