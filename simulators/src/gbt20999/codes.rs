//! Numbers with meanings.

/// An enum of bytes, each with its meaning, and the way back from a byte.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$meaning:meta])* $code:ident = $byte:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$meaning])* $code = $byte,)*
        }

        impl $name {
            /// What a byte means; none if nothing does.
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some($name::$code),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use codes;
