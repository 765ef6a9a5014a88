//! Answers that keep something until they are sent, or their connection is over.

use std::{
    any::Any,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, FromRequest as _, HttpMessage as _, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::TRANSFER_ENCODING,
    middleware::Next,
    web,
};

use super::{BODY, extract::in_time};

/// A body, and what is kept as long as it.
struct Held {
    body: BoxBody,
    _kept: Box<dyn Any>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        self.get_mut().body.as_pin_mut().poll_next(context)
    }
}

/// Keeps something as long as an answer is being sent.
pub fn hold(response: HttpResponse, kept: impl Any) -> HttpResponse {
    response.map_body(|_, body| {
        BoxBody::new(Held {
            body,
            _kept: Box::new(kept),
        })
    })
}

/// Reads a body that comes in chunks before anything else. Once nobody is interested in such a body, actix goes on
/// reading it as long as chunks come, however slowly; of one that is kept as long as the answer, it ends the connection.
pub async fn whole_chunks<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let mut reading = {
        let (request, payload) = request.parts_mut();
        Box::pin(web::Bytes::from_request(request, payload))
    };
    match in_time(&mut reading, BODY.0).await {
        Ok(bytes) => request.set_payload(Payload::from(bytes)),
        Err(problem) => {
            // For whoever reads the body: extract::read gives it as its answer.
            request.extensions_mut().insert(problem);
            request.set_payload(Payload::None);
        }
    }
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| {
        BoxBody::new(Held {
            body: BoxBody::new(body),
            _kept: Box::new(reading),
        })
    }))
}
