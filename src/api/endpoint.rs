//! Binds a handler to the paths and the method of the ruma type that it takes.
//!
//! A handler's last argument is `Ruma<T>`; `T` knows its method and every path that it ever had,
//! so that a line in the router names the handler and nothing else.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use ruma::api::{Metadata, path_builder::PathBuilder as _};

use crate::{
    extract::{Ruma, RumaAuth, RumaFile},
    state::AppState,
};

/// A handler whose last argument is `Ruma<Self::Request>`, `RumaAuth<Self::Request>` or `RumaFile<Self::Request>`.
pub trait Endpoint<T>: Handler<T, AppState> {
    /// The ruma type of the request.
    type Request: Metadata;
}

macro_rules! endpoint {
    ($($argument:ident),*) => {
        impl<H, M, $($argument,)* R> Endpoint<(M, $($argument,)* Ruma<R>)> for H
        where
            H: Handler<(M, $($argument,)* Ruma<R>), AppState>,
            R: Metadata,
        {
            type Request = R;
        }

        impl<H, M, $($argument,)* R> Endpoint<(M, $($argument,)* RumaAuth<R>)> for H
        where
            H: Handler<(M, $($argument,)* RumaAuth<R>), AppState>,
            R: Metadata,
        {
            type Request = R;
        }

        impl<H, M, $($argument,)* R> Endpoint<(M, $($argument,)* RumaFile<R>)> for H
        where
            H: Handler<(M, $($argument,)* RumaFile<R>), AppState>,
            R: Metadata,
        {
            type Request = R;
        }
    };
}

endpoint!();
endpoint!(A);
endpoint!(A, B);
endpoint!(A, B, C);
endpoint!(A, B, C, D);
endpoint!(A, B, C, D, E);
endpoint!(A, B, C, D, E, F);

/// Adds endpoints to a router, a line each.
pub trait Serve: Sized {
    /// Serves the handler at every path of its request type: stable, r0 and unstable ones.
    #[must_use]
    fn serve<T: 'static, E: Endpoint<T>>(self, handler: E) -> Self;

    /// Serves the handler at one more path, with the method of its request type.
    #[must_use]
    fn serve_also<T: 'static, E: Endpoint<T>>(self, path: &str, handler: E) -> Self;
}

impl Serve for Router<AppState> {
    fn serve<T: 'static, E: Endpoint<T>>(self, handler: E) -> Self {
        E::Request::PATH_BUILDER.all_paths().fold(self, |router, path| router.serve_also(path, handler.clone()))
    }

    fn serve_also<T: 'static, E: Endpoint<T>>(self, path: &str, handler: E) -> Self {
        let method = MethodFilter::try_from(E::Request::METHOD).expect("a method that axum routes");
        self.route(path, on(method, handler))
    }
}
