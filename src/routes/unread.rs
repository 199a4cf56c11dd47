//! Closes connections whose request body was not read to its end.
//!
//! The framework closes them by itself when the body has a length. One that comes in chunks it would read on and throw
//! away once nobody holds it, without any time limit, so that a client which stalls keeps its connection for ever. Here
//! somebody holds it until the answer is out, and then the connection is closed as well.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

/// A request's body with two holders: whoever reads it, and the answer.
#[derive(Clone)]
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// An answer that holds the request's body.
struct Holding {
    answer: BoxBody,
    _request: Shared,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

pub(super) async fn close<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let shared = Shared(Rc::new(RefCell::new(payload)));
    let stream: Pin<Box<dyn Stream<Item = _>>> = Box::pin(shared.clone());
    request.set_payload(stream.into());
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| {
        BoxBody::new(Holding {
            answer: body.boxed(),
            _request: shared,
        })
    }))
}
