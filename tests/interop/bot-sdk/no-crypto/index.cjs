// The SDK loads its encryption whether it is used or not; these tests use none, so an empty module serves.
module.exports = {};
