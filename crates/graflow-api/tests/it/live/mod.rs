//! The live stream: what a viewer ends with is what REST says, however often it was cut off.

mod follower;
mod resume;
mod slow;
mod stream;
